// SPDX-License-Identifier: Apache-2.0
#include "x509/path.hpp"

#include "base/limits.hpp"
#include "support/handmade.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::x509 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace rollcall::test;  // NOLINT: the builders' words are the test's language

using Chain = std::vector<Certificate>;

PathRules rules_at(TimePoint at = today) {
    PathRules rules;
    rules.at = at;
    return rules;
}

PathVerdict judge(const Chain& chain, const AnchorSet& anchors, const PathRules& rules = rules_at(),
                  SignatureMemory* memory = nullptr) {
    return verify_path({chain.front(), std::span{chain}.subspan(1), nullptr, anchors}, rules,
                       memory);
}

PathVerdict judge(const Chain& chain, const Authority& anchor,
                  const PathRules& rules = rules_at()) {
    return judge(chain, AnchorSet{{anchor.certificate()}}, rules);
}

std::vector<std::string> subjects(const std::vector<Certificate>& certificates) {
    std::vector<std::string> names;
    for (const auto& certificate : certificates) {
        names.push_back(certificate.subject());
    }
    return names;
}

std::vector<std::string> subjects(const PathVerdict& verdict) {
    std::vector<std::string> names;
    for (const auto& judged : verdict.path) {
        names.push_back(judged.certificate.subject());
    }
    return names;
}

std::vector<Path> all_paths(const PathMaterial& material, const PathRules& rules = rules_at()) {
    std::vector<Path> paths;
    search_paths(material, rules, nullptr, [&](const Path& path) {
        paths.push_back(path);
        return Search::go_on;
    });
    return paths;
}

// --- paths that are there ------------------------------------------------------------------------

TEST(Path, LeadsFromTheDeviceToTheAnchor) {
    const Authority root = a_root("Root");
    const Authority factory = root.intermediate("Factory");
    const auto verdict = judge({factory.leaf("dev-1"), factory.certificate()}, root);
    EXPECT_TRUE(verdict.valid) << verdict.reason;
    EXPECT_EQ(verdict.reason, "");
    EXPECT_EQ(verdict.decisive(), nullptr);
    EXPECT_THAT(subjects(verdict), ElementsAre("CN=dev-1", "CN=Factory", "CN=Root"));
    EXPECT_EQ(verdict.path[0].role, Role::end_entity);
    EXPECT_EQ(verdict.path[1].role, Role::intermediate);
    EXPECT_EQ(verdict.path[2].role, Role::anchor);
    EXPECT_TRUE(verdict.path[1].sent);
    EXPECT_FALSE(verdict.path[2].sent);
}

TEST(Path, IsCompletedFromTheStoreAndSaysSo) {
    const Authority root = a_root("Root");
    const Authority factory = root.intermediate("Factory");
    const Certificate leaf = factory.leaf("dev-1");
    const AnchorSet anchors{{root.certificate()}};
    const CertificateSet stored{{factory.certificate()}};
    const auto completed = all_paths({leaf, {}, &stored, anchors});
    ASSERT_EQ(completed.size(), 1U);
    EXPECT_TRUE(completed[0].completed);
    const Chain sent{factory.certificate()};
    const auto whole = all_paths({leaf, sent, &stored, anchors});
    ASSERT_EQ(whole.size(), 1U);
    EXPECT_FALSE(whole[0].completed);
}

TEST(Path, EndsAtEveryAnchorOnTheWay) {
    const Authority root = a_root("Root");
    const Authority factory = root.intermediate("Factory");
    const Certificate leaf = factory.leaf("dev-1");
    const AnchorSet anchors{{root.certificate(), factory.certificate()}};
    const auto paths = all_paths({leaf, {}, nullptr, anchors});
    ASSERT_EQ(paths.size(), 2U);
    EXPECT_THAT(subjects(paths[0].certificates), ElementsAre("CN=dev-1", "CN=Factory"));
    EXPECT_THAT(subjects(paths[1].certificates), ElementsAre("CN=dev-1", "CN=Factory", "CN=Root"));
}

TEST(Path, GoesOverACrossCertificateAndOverTheOldRoot) {
    const Authority old_root = a_root("Old Root");
    const Authority new_root = a_root("New Root");
    const Certificate cross = old_root.cross_signed_by(new_root);
    const Certificate leaf = old_root.leaf("dev-1");
    const Chain sent{cross};
    const AnchorSet both{{old_root.certificate(), new_root.certificate()}};
    EXPECT_EQ(all_paths({leaf, sent, nullptr, both}).size(), 2U);
    EXPECT_TRUE(judge({leaf, cross}, new_root).valid);
    EXPECT_TRUE(judge({leaf}, old_root).valid);
}

TEST(Path, TurnsBackFromDeadEnds) {
    const Authority root = a_root("Root");
    const Authority lost = a_root("Lost Root");
    const Authority factory = root.intermediate("Factory");
    const Certificate dead = factory.cross_signed_by(lost);
    const Certificate expired = factory.cross_signed_by(root, {today - 48h, today - 24h});
    const Certificate leaf = factory.leaf("dev-1");
    EXPECT_TRUE(judge({leaf, dead, expired, factory.certificate()}, root).valid);
    EXPECT_TRUE(judge({leaf, factory.certificate(), expired, dead}, root).valid);
    EXPECT_FALSE(judge({leaf, dead, expired}, root).valid);
}

TEST(Path, TellsAnchorsOfOneNameApart) {
    const Authority one = a_root("Root", {}, "key one");
    const Authority other = a_root("Root", {}, "key other");
    const Chain chain{one.leaf("dev-1")};
    for (const auto& anchors : {AnchorSet{{one.certificate(), other.certificate()}},
                                AnchorSet{{other.certificate(), one.certificate()}}}) {
        const auto verdict = judge(chain, anchors);
        EXPECT_TRUE(verdict.valid);
        EXPECT_EQ(verdict.path.back().certificate, one.certificate());
    }
}

TEST(Path, TakesAnAnchorRenewedWithItsKey) {
    const Authority root = a_root("Root");
    const Authority renewed = a_root("Root", {today - 1h, today + 24h * 3650});
    EXPECT_TRUE(judge({root.leaf("dev-1")}, renewed).valid);
    EXPECT_TRUE(judge({root.leaf("dev-1"), root.certificate()}, renewed).valid);
}

TEST(Path, IsNoneForAnEndEntityThatIsAnAnchor) {
    const Certificate own = self_signed("dev-1");
    const auto verdict = judge({own}, AnchorSet{{own}});
    EXPECT_FALSE(verdict.valid);
    EXPECT_THAT(verdict.reason, HasSubstr("wrong-purpose"));
}

// --- signatures and bounds -----------------------------------------------------------------------

TEST(Path, ChecksTheIntermediateOnceAndTheDeviceEveryTime) {
    const Authority root = a_root("Root");
    const Authority factory = root.intermediate("Factory");
    const AnchorSet anchors{{root.certificate()}};
    SignatureMemory memory;
    const Chain first{factory.leaf("dev-1"), factory.certificate(), root.certificate()};
    const Chain second{factory.leaf("dev-2"), factory.certificate()};
    EXPECT_EQ(judge(first, anchors, rules_at(), &memory).signature_checks, 2U);
    EXPECT_EQ(judge(second, anchors, rules_at(), &memory).signature_checks, 1U);
    EXPECT_EQ(judge(second, anchors, rules_at(), &memory).signature_checks, 1U);
}

TEST(Path, CostsTheSameUnderManyAnchors) {
    const Authority root = a_root("Root");
    AnchorSet anchors{{root.certificate()}};
    for (int i = 0; i < 200; ++i) {
        anchors.add(a_root("Root " + std::to_string(i), {}, "shared").certificate());
    }
    EXPECT_EQ(judge({root.leaf("dev-1")}, anchors).signature_checks, 1U);
}

/// All share a name and say nothing of keys. The issuer ends first, and so is tried last.
struct Decoys {
    Chain chain;
    AnchorSet anchors;
};
Decoys a_decoyed_chain(int count) {
    const Authority issuer = a_handmade_ca(
        {.name = "Root", .key_name = "true key", .validity = {today - 1h, today + 1h}});
    Decoys decoys{{handmade({.name = "dev-1", .issuer = &issuer})}, {}};
    decoys.anchors.add(issuer.certificate());
    for (int i = 1; i < count; ++i) {
        const std::string key = "decoy " + std::to_string(i);
        decoys.anchors.add(a_handmade_ca({.name = "Root", .key_name = key}).certificate());
    }
    return decoys;
}

TEST(Path, SpendsNoMoreSignatureChecksThanAllowed) {
    const Decoys decoys = a_decoyed_chain(12);
    PathRules rules = rules_at();
    rules.signatures_max = 12;
    const auto found = judge(decoys.chain, decoys.anchors, rules);
    EXPECT_TRUE(found.valid);
    EXPECT_EQ(found.signature_checks, 12U);
    rules.signatures_max = 11;
    const auto given_up = judge(decoys.chain, decoys.anchors, rules);
    EXPECT_FALSE(given_up.valid);
    EXPECT_TRUE(given_up.has(Fault::budget_spent));
    EXPECT_THAT(given_up.reason, HasSubstr("signature checks"));
    EXPECT_EQ(given_up.signature_checks, 11U);
}

struct Hierarchy {
    Authority root;
    Chain chain;
};
Hierarchy a_hierarchy(std::size_t intermediates) {
    Authority root = a_root("Root");
    Authority issuer = root;
    Chain chain;
    for (std::size_t i = 0; i < intermediates; ++i) {
        issuer = issuer.intermediate("Level " + std::to_string(i));
        chain.push_back(issuer.certificate());
    }
    chain.insert(chain.begin(), issuer.leaf("dev-1"));
    return {root, chain};
}

TEST(Path, IsFollowedUpToItsGreatestLength) {
    const Hierarchy longest = a_hierarchy(limits::path_length_max - 2);
    EXPECT_TRUE(judge(longest.chain, longest.root).valid);
    const Hierarchy longer = a_hierarchy(limits::path_length_max - 1);
    const auto verdict = judge(longer.chain, longer.root);
    EXPECT_FALSE(verdict.valid);
    EXPECT_TRUE(verdict.has(Fault::budget_spent));
}

TEST(Path, CountsIntermediatesAgainstTheCallersBound) {
    const Hierarchy two = a_hierarchy(2);
    PathRules rules = rules_at();
    rules.intermediates_max = 2;
    EXPECT_TRUE(judge(two.chain, two.root, rules).valid);
    rules.intermediates_max = 1;
    const auto verdict = judge(two.chain, two.root, rules);
    EXPECT_EQ(verdict.decisive()->fault, Fault::path_too_long);
}

/// Every one of `count` CAs certifies every other, and none leads on but the last, whose root
/// allows no CA below its own: all the mesh's paths are worth walking and none is valid.
TEST(Path, EndsInAMeshOfCrossCertificates) {
    constexpr int count = 9;
    const Authority root =
        a_handmade_ca({.name = "Root", .extensions = {{NID_subject_key_identifier, "hash"}}});
    const Authority narrow{handmade({.name = "Root",
                                     .extensions = {{NID_basic_constraints,
                                                     "critical,CA:TRUE,"
                                                     "pathlen:0"}}}),
                           key_named("Root")};
    std::vector<Authority> members;
    for (int i = 0; i < count; ++i) {
        members.push_back(a_root("Member " + std::to_string(i)));
    }
    Chain chain{members[0].leaf("dev-1"), members[count - 1].cross_signed_by(root)};
    for (const auto& subject : members) {
        for (const auto& issuer : members) {
            if (!(subject.certificate() == issuer.certificate())) {
                chain.push_back(subject.cross_signed_by(issuer));
            }
        }
    }
    const auto verdict = judge(chain, narrow);
    EXPECT_FALSE(verdict.valid);
    EXPECT_TRUE(verdict.has(Fault::budget_spent));
    EXPECT_TRUE(judge(chain, root).valid);
    const auto nowhere = judge(chain, a_root("Elsewhere"));
    EXPECT_FALSE(nowhere.has(Fault::budget_spent)) << "no way to an anchor: nothing to search";
}

// --- why there is none ---------------------------------------------------------------------------

struct Explained {
    std::string what;
    PathVerdict verdict;
    Fault decisive;
    std::string reason_has;
};

void expect(const Explained& explained) {
    const auto& [what, verdict, decisive, reason_has] = explained;
    ASSERT_FALSE(verdict.valid) << what;
    ASSERT_NE(verdict.decisive(), nullptr) << what;
    EXPECT_EQ(to_string(verdict.decisive()->fault), to_string(decisive)) << what;
    EXPECT_THAT(verdict.reason, HasSubstr(reason_has)) << what;
    EXPECT_FALSE(verdict.decisive()->fix.empty()) << what;
}

TEST(PathVerdict, NamesTheBrokenLink) {
    const Authority root = a_root("Root");
    const Authority factory = root.intermediate("Factory");
    const Authority other = a_root("Other");
    const Authority namesake = a_root("Root", {}, "namesake");
    const Authority under_namesake = namesake.intermediate("Factory 2");
    const Certificate leaf = factory.leaf("dev-1");
    const Authority a = a_root("A");
    const Authority b = a_root("B");
    const Chain circle{a.leaf("dev-1"), a.cross_signed_by(b), b.cross_signed_by(a)};
    const std::vector<Explained> table{
        {"a gap", judge({leaf}, root), Fault::no_issuer_found, "'CN=Factory' of 'CN=dev-1'"},
        {"an unknown root", judge({leaf, factory.certificate(), root.certificate()}, other),
         Fault::unknown_anchor, "ends at 'CN=Root'"},
        {"an unknown root that was not sent", judge({leaf, factory.certificate()}, other),
         Fault::no_issuer_found, "'CN=Root' of 'CN=Factory'"},
        {"a root of the same name, leaf below", judge({namesake.leaf("dev-1")}, root),
         Fault::issuer_other_key, "a CA named 'CN=Root' is known"},
        {"a root of the same name, intermediate below",
         judge({under_namesake.leaf("dev-1"), under_namesake.certificate()}, root),
         Fault::issuer_other_key, "'CN=Factory 2' was signed by another key"},
        {"a root of the same name that was sent",
         judge({under_namesake.leaf("dev-1"), under_namesake.certificate(), namesake.certificate()},
               root),
         Fault::issuer_other_key, "a CA named 'CN=Root' is known"},
        {"a circle", judge(circle, root), Fault::loop, "on the path already"},
        {"a self-signed stranger", judge({self_signed("dev-1")}, root), Fault::unknown_anchor,
         "ends at 'CN=dev-1'"},
    };
    for (const auto& explained : table) {
        expect(explained);
    }
}

TEST(PathVerdict, NamesTheCertificateAtFault) {
    const Authority root = a_root("Root");
    const Authority factory = root.intermediate("Factory");
    const Authority expired_factory =
        root.intermediate("Old Factory", {today - 24h * 30, today - 24h * 10});
    const Authority expired_root = a_root("Expired Root", {today - 24h * 30, today - 24h * 10});
    const Validity future{today + 1h, today + 24h};
    const auto chain_of = [&](Certificate leaf) {
        return Chain{std::move(leaf), factory.certificate()};
    };
    const Authority leaf_as_issuer{factory.leaf("dev-1", {}, "leaf"), key_named("leaf")};
    const std::unordered_set<Digest> lost{factory.certificate().spki_sha256()};
    PathRules distrusting = rules_at();
    distrusting.distrusted = &lost;
    const std::vector<Explained> table{
        {"an expired leaf",
         judge(chain_of(factory.leaf("dev-1", {today - 24h * 30, today - 24h * 10})), root),
         Fault::expired, "CN=dev-1 expired on 2030-06-05T00:00:00Z, 10 days ago"},
        {"an expired intermediate",
         judge({expired_factory.leaf("dev-1"), expired_factory.certificate()}, root),
         Fault::expired, "CN=Old Factory expired on"},
        {"an expired anchor", judge({expired_root.leaf("dev-1")}, expired_root), Fault::expired,
         "CN=Expired Root expired on"},
        {"a leaf of tomorrow", judge(chain_of(factory.leaf("dev-1", future)), root),
         Fault::not_yet_valid, "CN=dev-1 becomes valid on 2030-06-15T01:00:00Z, in 1 hour"},
        {"a server's leaf", judge(chain_of(factory.leaf("dev-1", {}, "", {"serverAuth"})), root),
         Fault::wrong_purpose, "CN=dev-1 is for serverAuth"},
        {"a CA in a device's place", judge({factory.certificate()}, root), Fault::wrong_purpose,
         "CA:TRUE"},
        {"a leaf as issuer",
         judge({handmade({.name = "dev-2", .issuer = &leaf_as_issuer}),
                leaf_as_issuer.certificate(), factory.certificate()},
               root),
         Fault::not_a_ca, "CN=dev-1 "},
        {"a distrusted intermediate",
         judge(chain_of(factory.leaf("dev-1")), AnchorSet{{root.certificate()}}, distrusting),
         Fault::distrusted_key, "CN=Factory has a key that was put on the distrust list"},
        {"SHA-1", judge({handmade({.name = "dev-1", .issuer = &root, .hash = EVP_sha1()})}, root),
         Fault::weak_signature, "ecdsa-with-SHA1"},
    };
    for (const auto& explained : table) {
        expect(explained);
    }
}

TEST(PathVerdict, CollectsEveryFaultOfEveryCertificate) {
    const Authority root = a_root("Root", {today - 24h * 30, today - 24h});
    const Authority factory = root.intermediate("Factory", {today - 24h * 30, today - 24h});
    const Certificate leaf =
        factory.leaf("dev-1", {today - 24h * 30, today - 24h}, "", {"serverAuth"});
    const auto verdict = judge({leaf, factory.certificate()}, root);
    ASSERT_EQ(verdict.path.size(), 3U);
    EXPECT_EQ(verdict.path[0].findings.size(), 2U);
    EXPECT_EQ(verdict.path[1].findings.size(), 1U);
    EXPECT_EQ(verdict.path[2].findings.size(), 1U);
    EXPECT_TRUE(verdict.has(Fault::wrong_purpose));
    EXPECT_EQ(verdict.decisive(), verdict.path[0].findings.data());
    EXPECT_EQ(verdict.path[2].role, Role::anchor);
}

TEST(PathVerdict, IsTheSameInAnyOrder) {
    const Authority root = a_root("Root");
    const Authority lost = a_root("Lost Root");
    const Authority factory = root.intermediate("Factory", {today - 48h, today - 24h});
    const Certificate leaf = factory.leaf("dev-1");
    Chain sent{factory.certificate(), factory.cross_signed_by(lost), lost.certificate(),
               root.certificate()};
    std::sort(sent.begin(), sent.end(),
              [](const Certificate& a, const Certificate& b) { return a.sha256() < b.sha256(); });
    const AnchorSet anchors{{root.certificate()}};
    std::string first;
    do {
        const auto verdict = verify_path({leaf, sent, nullptr, anchors}, rules_at());
        first = first.empty() ? verdict.reason : first;
        EXPECT_EQ(verdict.reason, first);
    } while (std::next_permutation(
        sent.begin(), sent.end(),
        [](const Certificate& a, const Certificate& b) { return a.sha256() < b.sha256(); }));
    EXPECT_THAT(first, HasSubstr("CN=Factory expired"));
}

// --- time ----------------------------------------------------------------------------------------

TEST(Path, LastsThroughTheLastSecondAndWaitsForTheFirst) {
    const Authority root = a_root("Root");
    const Chain chain{root.leaf("dev-1", {today, today + 1h})};
    const auto valid_at = [&](TimePoint at, std::chrono::seconds tolerance = 0s) {
        PathRules rules = rules_at(at);
        rules.not_before_tolerance = tolerance;
        return judge(chain, root, rules).valid;
    };
    EXPECT_TRUE(valid_at(today));
    EXPECT_FALSE(valid_at(today - 1us));
    EXPECT_TRUE(valid_at(today - 5min, 300s));
    EXPECT_FALSE(valid_at(today - 5min - 1us, 300s));
    EXPECT_TRUE(valid_at(today + 1h + 999ms));
    EXPECT_FALSE(valid_at(today + 1h + 1s));
    EXPECT_FALSE(valid_at(today + 1h + 1s, 300s)) << "the tolerance is for not_before only";
}

// --- single certificates -------------------------------------------------------------------------

TEST(ExactMatch, AsksForValidityKeyAndDistrustOnly) {
    const Certificate ca = a_root("Root").certificate();
    EXPECT_TRUE(judge_exact_match(ca, rules_at()).valid) << "a CA's certificate, self-signed";
    EXPECT_TRUE(judge_exact_match(a_root("R").leaf("d", {}, "", {"serverAuth"}), rules_at()).valid);
    const auto late = judge_exact_match(ca, rules_at(today + 24h * 366));
    EXPECT_FALSE(late.valid);
    EXPECT_THAT(late.reason, HasSubstr("expired: CN=Root expired on"));
    const std::unordered_set<Digest> lost{ca.spki_sha256()};
    PathRules rules = rules_at();
    rules.distrusted = &lost;
    EXPECT_EQ(judge_exact_match(ca, rules).decisive()->fault, Fault::distrusted_key);
}

TEST(IsSignedBy, WantsNameAndKey) {
    const Authority root = a_root("Root");
    const Authority namesake = a_root("Root", {}, "namesake");
    const Authority same_key = a_root("Another Name", {}, "Root");
    const Certificate leaf = root.leaf("dev-1");
    EXPECT_TRUE(is_signed_by(leaf, root.certificate()));
    EXPECT_FALSE(is_signed_by(leaf, namesake.certificate()));
    EXPECT_FALSE(is_signed_by(leaf, same_key.certificate()));
    EXPECT_TRUE(is_signed_by(root.certificate(), root.certificate()));
}

}  // namespace
}  // namespace rollcall::x509
