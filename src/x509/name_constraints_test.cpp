// SPDX-License-Identifier: Apache-2.0
#include "x509/name_constraints.hpp"

#include "base/limits.hpp"
#include "support/handmade.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::x509 {
namespace {

using testing::HasSubstr;
using namespace rollcall::test;  // NOLINT: the builders' words are the test's language

Certificate constrained(const std::string& constraints) {
    return handmade(
        {.name = "CA", .extensions = {{NID_name_constraints, "critical," + constraints}}});
}

Certificate named(const std::string& alt_names) {
    return handmade({.name = "dev-1", .extensions = {{NID_subject_alt_name, alt_names}}});
}

bool allows(const Certificate& issuer, const Certificate& certificate) {
    NameChecker names{limits::name_comparisons_max};
    return names.violation(issuer, certificate) == nullptr;
}

struct Row {
    std::string constraint;  ///< one subtree
    std::string name;        ///< one alternative name
    bool permitted;          ///< allowed where the subtree is permitted
    bool excluded;           ///< refused where the subtree is excluded
};

TEST(NameConstraints, MatchNamesOfTheirForm) {
    const std::vector<Row> table{
        // DNS: labels may be added on the left
        {"DNS:example.com", "DNS:example.com", true, true},
        {"DNS:example.com", "DNS:a.b.example.com", true, true},
        {"DNS:example.com", "DNS:A.Example.COM", true, true},
        {"DNS:example.com", "DNS:badexample.com", false, false},
        {"DNS:example.com", "DNS:com", false, false},
        {"DNS:.example.com", "DNS:a.example.com", true, true},
        {"DNS:.example.com", "DNS:example.com", false, false},
        {"DNS:example.com", "DNS:*.example.com", true, true},
        {"DNS:foo.example.com", "DNS:*.example.com", false, true},
        {"DNS:*.example.com", "DNS:foo.example.com", false, true},
        {"DNS:example.com", "DNS:.example.com", false, true},
        {"DNS:example.com", "DNS:a..example.com", false, true},
        // e-mail: a mailbox, a host, or hosts below a domain
        {"email:a@example.com", "email:a@EXAMPLE.com", true, true},
        {"email:a@example.com", "email:A@example.com", false, false},
        {"email:example.com", "email:a@example.com", true, true},
        {"email:example.com", "email:a@mail.example.com", false, false},
        {"email:.example.com", "email:a@mail.example.com", true, true},
        {"email:.example.com", "email:a@example.com", false, false},
        {"email:a@b@example.com", "email:a@example.com", false, true},
        {"email:example.com", "email:nobody", false, true},
        // URI: the host of the authority
        {"URI:example.com", "URI:coap://example.com/x", true, true},
        {"URI:example.com", "URI:https://user@example.com:8443/x?y#z", true, true},
        {"URI:example.com", "URI:https://a.example.com", false, false},
        {"URI:.example.com", "URI:https://a.example.com", true, true},
        {"URI:example.com", "URI:urn:uuid:1", false, true},
        {"URI:example.com", "URI:https://192.0.2.1/", false, true},
        // IP: address and mask
        {"IP:192.0.2.0/255.255.255.0", "IP:192.0.2.77", true, true},
        {"IP:192.0.2.0/255.255.255.0", "IP:192.0.3.77", false, false},
        {"IP:192.0.2.0/255.255.255.0", "IP:2001:db8::1", false, false},
        {"IP:2001:db8::/ffff:ffff::", "IP:2001:db8::1", true, true},
        {"IP:192.0.2.0/255.0.255.0", "IP:192.0.2.1", false, true},
        // what nobody can process: refused either way, if such a name is there
        {"otherName:1.2.3.4;UTF8:x", "otherName:1.2.3.4;UTF8:x", false, true},
        {"otherName:1.2.3.4;UTF8:x", "otherName:1.2.3.5;UTF8:x", true, false},
        {"RID:1.2.3.4", "RID:1.2.3.4", false, true},
        // another form is not constrained
        {"DNS:example.com", "email:a@elsewhere.example", true, false},
        {"IP:192.0.2.0/255.255.255.0", "DNS:elsewhere.example", true, false},
    };
    for (const auto& row : table) {
        const Certificate certificate = named(row.name);
        EXPECT_EQ(allows(constrained("permitted;" + row.constraint), certificate), row.permitted)
            << "permitted " << row.constraint << ", " << row.name;
        EXPECT_EQ(allows(constrained("excluded;" + row.constraint), certificate), !row.excluded)
            << "excluded " << row.constraint << ", " << row.name;
    }
}

TEST(NameConstraints, WantEveryNameAllowed) {
    const Certificate issuer = constrained("permitted;DNS:a.example,permitted;DNS:b.example");
    EXPECT_TRUE(allows(issuer, named("DNS:x.a.example,DNS:x.b.example")));
    EXPECT_FALSE(allows(issuer, named("DNS:x.a.example,DNS:x.c.example")));
    const Certificate hollow = constrained("permitted;DNS:example,excluded;DNS:bad.example");
    EXPECT_TRUE(allows(hollow, named("DNS:good.example")));
    EXPECT_FALSE(allows(hollow, named("DNS:x.bad.example")));
}

TEST(NameConstraints, ReadTheSubjectAndItsEmailAddresses) {
    const Certificate device =
        handmade({.name = "dev-1", .email = "ops@example.com"});  // CN=dev-1,emailAddress=...
    EXPECT_TRUE(allows(constrained("permitted;email:example.com"), device));
    EXPECT_FALSE(allows(constrained("permitted;email:example.org"), device));
    EXPECT_FALSE(allows(constrained("excluded;email:example.com"), device));
}

/// An empty subtree is every name of its form, which is how all of a form are excluded.
TEST(NameConstraints, TakeAnEmptySubtreeForAllOfItsForm) {
    const auto with = [](const std::string& der) {
        return handmade({.name = "CA", .extensions = {{NID_name_constraints, "DER:" + der}}});
    };
    const Certificate permitted = with("3006A00430028200");
    const Certificate excluded = with("3006A10430028200");
    EXPECT_TRUE(allows(permitted, named("DNS:a.example")));
    EXPECT_FALSE(allows(excluded, named("DNS:a.example")));
    EXPECT_TRUE(allows(excluded, named("email:a@a.example")));
}

TEST(NameConstraints, CompareDirectoryNamesRdnByRdn) {
    // The constrained subtree is the subject of a certificate made for it.
    const auto under = [](const std::string& prefix, const std::string& name) {
        const Certificate subtree = handmade({.name = prefix});
        const Certificate device = handmade({.name = name, .email = "x@example.com"});
        return device.subject_normalised().starts_with(subtree.subject_normalised());
    };
    EXPECT_TRUE(under("Plant", "plant"));
    EXPECT_TRUE(under(" The  Plant", "the plant "));
    EXPECT_FALSE(under("Plant", "Plant 2"));
    EXPECT_FALSE(under("Plan", "Plant"));
}

TEST(NameConstraints, StopAtTheirBound) {
    const Certificate issuer = constrained("permitted;DNS:a.example,permitted;DNS:b.example");
    const Certificate device = named("DNS:a.example,DNS:b.example");  // and its subject
    NameChecker enough{6};
    EXPECT_EQ(enough.violation(issuer, device), nullptr);
    EXPECT_EQ(enough.violation(issuer, device), nullptr) << "each pair is judged once";
    EXPECT_FALSE(enough.exhausted());
    NameChecker short_of_one{5};
    ASSERT_NE(short_of_one.violation(issuer, device), nullptr);
    EXPECT_THAT(*short_of_one.violation(issuer, device), HasSubstr("past the bound"));
    EXPECT_TRUE(short_of_one.exhausted());
}

TEST(NameConstraints, TellWhichNameAndWhoseConstraint) {
    NameChecker names{limits::name_comparisons_max};
    const auto* violation =
        names.violation(constrained("permitted;DNS:example.com"), named("DNS:elsewhere.example"));
    ASSERT_NE(violation, nullptr);
    EXPECT_EQ(*violation,
              "its DNS name 'elsewhere.example' is not among what the name constraints of 'CN=CA' "
              "permit");
}

}  // namespace
}  // namespace rollcall::x509
