// SPDX-License-Identifier: Apache-2.0
#include "app/pki_make.hpp"

#include "app/pki_place.hpp"
#include "app/pki_record.hpp"
#include "app/print.hpp"
#include "app/validity.hpp"
#include "base/files.hpp"
#include "base/limits.hpp"
#include "x509/authority.hpp"

#include <ostream>

#include <boost/json/array.hpp>

namespace rollcall::app {
namespace {

using x509::Certificate;
using x509::IssuanceProfile;
using x509::PrivateKey;
using Kind = IssuanceProfile::Kind;

constexpr std::int64_t root_days = 3'650;
constexpr std::int64_t intermediate_days = 1'825;
constexpr std::int64_t leaf_days = 365;
constexpr std::int64_t verification_days = 1;
/// Between words of progress.
constexpr std::int64_t progress_step = 100;

/// A certificate that was made and the files it went to.
struct Made {
    Certificate certificate;
    std::optional<PrivateKey> key{};
    std::vector<Certificate> chain{};  ///< with the certificate itself; empty: not written
};

Result<Validity> validity_of(const Invocation& call, std::int64_t days, TimePoint now) {
    ValidityWords words{call.maybe("--not-before"), call.maybe("--not-after"), {}};
    if (call.has("--days")) {
        words.days = call.number_or("--days", 0);
    }
    return parse_validity(words, days, now);
}

Result<IssuanceProfile> profile_of(const Invocation& call, Kind kind, std::int64_t days,
                                   TimePoint now) {
    TRY(const auto validity, validity_of(call, days, now));
    IssuanceProfile profile{.common_name = call.text_or("--cn", ""),
                            .organization = call.text_or("--org", ""),
                            .not_before = validity.not_before,
                            .not_after = validity.not_after,
                            .kind = kind};
    if (call.has("--path-length")) {
        const auto length = call.number_or("--path-length", 0);
        if (length < 0 || length > limits::pki_path_length_max) {
            return usage_error("--path-length takes 0 to " +
                               std::to_string(limits::pki_path_length_max));
        }
        profile.path_length = static_cast<int>(length);
    }
    profile.permitted_dns_subtrees = call.all("--permit-dns");
    profile.dns_names = call.all("--dns");
    profile.ip_addresses = call.all("--ip");
    return profile;
}

/// The key that --key-file names, or a new one of the kind that --key names.
Result<PrivateKey> key_for(const Invocation& call) {
    if (call.has("--key-file")) {
        if (call.has("--key")) {
            return usage_error(
                "--key makes a new key and --key-file takes an old one: leave one "
                "out");
        }
        return load_key(call.text("--key-file"));
    }
    TRY(const auto type, x509::parse_key_type(call.text_or("--key", "p256")));
    return PrivateKey::generate(type);
}

std::vector<std::string> listed(const std::string& text) {
    std::vector<std::string> items;
    for (std::size_t at = 0; at <= text.size();) {
        const auto end = std::min(text.find(',', at), text.size());
        items.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return items;
}

FileSet::Existing existing(const Invocation& call) {
    return call.has("--force") ? FileSet::Existing::replace : FileSet::Existing::refuse;
}

Result<Done> store(const Made& made, const PkiPlace& place, const Invocation& call, bool durable) {
    FileSet files;
    if (made.key) {
        files.add(place.key, made.key->pem(), Secrecy::secret);
    }
    files.add(place.certificate, made.certificate.pem(), Secrecy::open);
    if (!made.chain.empty()) {
        files.add(place.chain, bundle(made.chain), Secrecy::open);
    }
    auto written = files.write(existing(call), durable);
    if (!written && written.error().reason == "file-exists") {
        Error refused = written.error();
        refused.detail += ": nothing was written; choose another --out, or --force to replace";
        return refused;
    }
    return written;
}

boost::json::object record_of(const Made& made, const PkiPlace& place) {
    boost::json::object record = certificate_record(made.certificate);
    boost::json::object files{{"certificate", place.certificate.string()}};
    if (made.key) {
        files["key"] = place.key.string();
    }
    if (!made.chain.empty()) {
        files["chain"] = place.chain.string();
    }
    record["files"] = std::move(files);
    return record;
}

void tell(const Made& made, const PkiPlace& place, const Invocation& call, TimePoint now) {
    if (call.globals().json) {
        print_json(call.io().out, record_of(made, place));
        return;
    }
    auto fields = certificate_fields(made.certificate, now);
    fields.emplace_back("Certificate", place.certificate.string());
    if (made.key) {
        fields.emplace_back("Private key", place.key.string());
    }
    if (!made.chain.empty()) {
        fields.emplace_back("Chain", place.chain.string());
    }
    print_fields(call.io().out, fields);
}

/// What an issuer is not fit for; said, not refused: wrong chains are made for tests, too.
void warn_about(const Certificate& issuer, const IssuanceProfile& profile, const Invocation& call) {
    std::ostream& err = call.io().err;
    if (issuer.ca_flag() != std::optional{true}) {
        err << "warning: " << issuer.subject()
            << " does not say that it is a CA (basicConstraints); what it signs will be refused\n";
    }
    if (profile.not_after > issuer.not_after()) {
        err << "warning: valid until " << to_iso8601_seconds(profile.not_after)
            << ", longer than its issuer (" << to_iso8601_seconds(issuer.not_after()) << ")\n";
    }
}

std::vector<Certificate> chain_with(const Certificate& first,
                                    const std::vector<Certificate>& above) {
    std::vector<Certificate> chain{first};
    chain.insert(chain.end(), above.begin(), above.end());
    return chain;
}

/// --subject-cert: the same subject and key again, renewed or under another issuer.
Result<Made> reissued(const Invocation& call, const IssuanceProfile& profile, const Signer& signer,
                      const PkiWorld& world) {
    for (const auto* other : {"--cn", "--org", "--key", "--path-length", "--permit-dns"}) {
        if (call.has(other)) {
            return usage_error(std::string{other} +
                               " does not go with --subject-cert, whose subject, key and "
                               "extensions are taken as they are");
        }
    }
    TRY(const auto subject, load_certificate(call.text("--subject-cert")));
    TRY(const auto certificate, reissue(subject, profile.not_before, profile.not_after,
                                        signer.certificate, signer.key, world.entropy));
    Made made{certificate, std::nullopt, {}};
    if (call.has("--key-file")) {
        TRY(made.key, load_key(call.text("--key-file")));
        if (!made.key->belongs_to(certificate)) {
            return Error{
                ErrorKind::conflict,
                call.text("--key-file") + " is not the key of " + call.text("--subject-cert"),
                "wrong-key"};
        }
    }
    return made;
}

Result<Made> intermediate(const Invocation& call, const IssuanceProfile& profile,
                          const Signer& signer, const PkiWorld& world) {
    if (call.has("--subject-cert")) {
        return reissued(call, profile, signer, world);
    }
    if (!call.has("--cn")) {
        return usage_error("--cn is missing (or --subject-cert, to certify an existing CA again)");
    }
    TRY(auto key, key_for(call));
    TRY(auto certificate, issue(profile, key, signer.certificate, signer.key, world.entropy));
    return Made{std::move(certificate), std::move(key), {}};
}

/// "{}" replaced by the number.
std::string numbered(std::string text, std::int64_t number) {
    const auto at = text.find("{}");
    return at == text.npos ? text : text.replace(at, 2, std::to_string(number));
}

/// The leaf's issuer; none for a self-signed one.
Result<std::optional<Signer>> leaf_signer(const Invocation& call) {
    if (call.has("--self-signed") == call.has("--issuer")) {
        return usage_error("say who signs it: --issuer PREFIX of a CA, or --self-signed");
    }
    if (call.has("--self-signed")) {
        return std::optional<Signer>{};
    }
    TRY(auto signer, load_signer(call.text("--issuer"), call.maybe("--issuer-key")));
    return std::optional{std::move(signer)};
}

Result<Made> leaf(const Invocation& call, const IssuanceProfile& profile,
                  const std::optional<Signer>& signer, const PkiWorld& world) {
    TRY(auto key, key_for(call));
    if (!signer) {
        TRY(auto issued, issue_self_signed(profile, key, world.entropy));
        return Made{std::move(issued.certificate), std::move(key), {}};
    }
    TRY(auto certificate, issue(profile, key, signer->certificate, signer->key, world.entropy));
    Made made{std::move(certificate), std::move(key), {}};
    if (call.has("--chain")) {
        made.chain = chain_with(made.certificate, signer->chain);
    }
    return made;
}

/// A fleet: leaves whose names and files carry their number.
struct Fleet {
    std::int64_t first = 1;
    std::int64_t count = 1;
    std::string out;
};

Result<Fleet> fleet_of(const Invocation& call, const IssuanceProfile& pattern) {
    const Fleet fleet{call.number_or("--first", 1), call.number_or("--count", 1),
                      call.text("--out")};
    const bool numbers = pattern.common_name.find("{}") != std::string::npos &&
                         fleet.out.find("{}") != std::string::npos;
    if (fleet.count < 1 || fleet.count > limits::pki_leaves_max || !numbers) {
        return usage_error("a fleet needs --count from 1 to " +
                           std::to_string(limits::pki_leaves_max) +
                           ", and {} in --cn and in --out, where the number goes: --count 100 "
                           "--cn dev-{} --out fleet/dev-{}");
    }
    if (fleet.first < 0 || fleet.first > limits::pki_leaves_max) {
        return usage_error("--first takes 0 to " + std::to_string(limits::pki_leaves_max));
    }
    return fleet;
}

Result<boost::json::object> make_numbered(const Invocation& call, const IssuanceProfile& pattern,
                                          const Fleet& fleet, std::int64_t number,
                                          const std::optional<Signer>& signer,
                                          const PkiWorld& world) {
    IssuanceProfile profile = pattern;
    profile.common_name = numbered(pattern.common_name, number);
    const PkiPlace place = place_of(numbered(fleet.out, number));
    TRY(const auto made, leaf(call, profile, signer, world));
    // A fleet is made again if the machine falls over; a sync for each would take minutes.
    TRY([[maybe_unused]] const auto stored, store(made, place, call, false));
    return record_of(made, place);
}

Result<Exit> make_fleet(const Invocation& call, const IssuanceProfile& pattern,
                        const std::optional<Signer>& signer, const PkiWorld& world) {
    TRY(const auto fleet, fleet_of(call, pattern));
    std::optional<ArrayPrinter> records;
    if (call.globals().json) {
        records.emplace(call.io().out);
    }
    std::optional<Error> refused;
    std::int64_t done = 0;
    for (; done < fleet.count && !refused; ++done) {
        const auto record = make_numbered(call, pattern, fleet, fleet.first + done, signer, world);
        if (!record) {
            refused = record.error();
            break;
        }
        if (records) {
            records->item(*record);
        }
        if ((done + 1) % progress_step == 0) {
            call.io().err << "made " << done + 1 << " of " << fleet.count << std::endl;
        }
    }
    if (records) {
        records->end();
    }
    if (refused) {
        refused->detail += "; made " + std::to_string(done) + " of " + std::to_string(fleet.count);
        return *std::move(refused);
    }
    if (!records) {
        call.io().out << "made " << done << " leaves, "
                      << place_of(numbered(fleet.out, fleet.first)).certificate.string() << " to "
                      << place_of(numbered(fleet.out, fleet.first + done - 1)).certificate.string()
                      << "\n";
    }
    return Exit::done;
}

}  // namespace

Result<Exit> make_ca(const Invocation& call, const PkiWorld& world) {
    const TimePoint now = world.clock.now();
    TRY(const auto profile, profile_of(call, Kind::root, root_days, now));
    TRY(const auto key, key_for(call));
    TRY(const auto issued, issue_self_signed(profile, key, world.entropy));
    const Made made{issued.certificate, key, {}};
    const PkiPlace place = place_of(call.text("--out"));
    TRY([[maybe_unused]] const auto stored, store(made, place, call, true));
    tell(made, place, call, now);
    return Exit::done;
}

Result<Exit> make_intermediate(const Invocation& call, const PkiWorld& world) {
    const TimePoint now = world.clock.now();
    TRY(const auto profile, profile_of(call, Kind::intermediate, intermediate_days, now));
    TRY(const auto signer, load_signer(call.text("--issuer"), call.maybe("--issuer-key")));
    TRY(auto made, intermediate(call, profile, signer, world));
    made.chain = chain_with(made.certificate, signer.chain);
    const PkiPlace place = place_of(call.text("--out"));
    TRY([[maybe_unused]] const auto stored, store(made, place, call, true));
    warn_about(signer.certificate, profile, call);
    tell(made, place, call, now);
    return Exit::done;
}

Result<Exit> make_leaves(const Invocation& call, const PkiWorld& world) {
    const TimePoint now = world.clock.now();
    TRY(auto profile, profile_of(call, Kind::device, leaf_days, now));
    if (call.has("--eku")) {
        profile.extended_key_usage = listed(call.text("--eku"));
    }
    TRY(const auto signer, leaf_signer(call));
    if (signer) {
        warn_about(signer->certificate, profile, call);
    }
    if (call.has("--count")) {
        return make_fleet(call, profile, signer, world);
    }
    TRY(const auto made, leaf(call, profile, signer, world));
    const PkiPlace place = place_of(call.text("--out"));
    TRY([[maybe_unused]] const auto stored, store(made, place, call, true));
    tell(made, place, call, now);
    return Exit::done;
}

Result<Exit> make_verification(const Invocation& call, const PkiWorld& world) {
    const TimePoint now = world.clock.now();
    TRY(auto profile, profile_of(call, Kind::verification, verification_days, now));
    profile.common_name = call.text("--code");
    TRY(const auto signer, load_signer(call.text("--issuer"), call.maybe("--issuer-key")));
    // Only the CA's signature proves anything: the key is forgotten here.
    TRY(const auto key, PrivateKey::generate(x509::KeyType::p256));
    TRY(const auto certificate, issue(profile, key, signer.certificate, signer.key, world.entropy));
    if (!call.has("--out")) {
        call.io().out << certificate.pem();
        return Exit::done;
    }
    const Made made{certificate, std::nullopt, {}};
    PkiPlace place;
    place.certificate = call.text("--out");
    TRY([[maybe_unused]] const auto stored, store(made, place, call, true));
    tell(made, place, call, now);
    return Exit::done;
}

}  // namespace rollcall::app
