// SPDX-License-Identifier: Apache-2.0
// `rollcall pki`: what its commands take. The work is in pki_make, pki_inspect and pki_verify.
#include "app/command.hpp"
#include "app/pki_inspect.hpp"
#include "app/pki_make.hpp"
#include "app/pki_verify.hpp"

namespace rollcall::app {
namespace {

const SystemClock system_clock;

PkiWorld this_world() {
    static SystemEntropy entropy;
    return PkiWorld{system_clock, entropy};
}

using Parameters = std::vector<Parameter>;

Parameters operator+(Parameters left, const Parameters& right) {
    left.insert(left.end(), right.begin(), right.end());
    return left;
}

std::vector<std::string> key_types() {
    return {"p256", "p384", "rsa2048", "rsa3072", "rsa4096", "ed25519"};
}

constexpr const char* written_notes =
    "Writes PREFIX.pem and PREFIX.key (mode 0600), all or nothing; what exists is kept unless "
    "--force is given. T is a time such as 2031-01-31T12:00:00Z or 2031-01-31, or a distance from "
    "now such as -30d or +1y (s m h d w y), also in the past.";

Parameters validity_parameters(const std::string& days) {
    return {option("--days N", "valid for so many days (" + days + ")").is_number(),
            option("--not-before T", "valid from (now)"), option("--not-after T", "valid until")};
}

Parameters key_parameters() {
    return {option("--key TYPE", "make a key of this kind (p256)").one_of(key_types()),
            option("--key-file FILE", "take this private key instead of making one"),
            flag("--force", "replace files that exist")};
}

Parameters issuer_parameters(bool required) {
    Parameter issuer =
        option("--issuer PREFIX", "the CA that signs: PREFIX.pem with PREFIX.key, or its file");
    issuer.required = required;
    return {issuer, option("--issuer-key FILE", "the CA's private key, where it stands elsewhere")};
}

Parameters ca_parameters() {
    return {option("--org NAME", "organization (O=)"),
            option("--path-length N", "how many CAs may stand below it").is_number(),
            option("--permit-dns DOMAIN", "name constraint: only names under it").may_repeat()};
}

Command ca_command() {
    return {"pki ca",
            "make a root CA",
            Parameters{option("--cn NAME", "common name").must_be_given(),
                       option("--out PREFIX", "where to put it").must_be_given()} +
                validity_parameters("3650") + key_parameters() + ca_parameters(),
            {{"rollcall pki ca --cn 'Factory Root' --out pki/root", ""},
             {"rollcall pki ca --cn 'Old Root' --out pki/old --not-before -2y --not-after -1d",
              "one that has expired"},
             {"rollcall pki ca --cn 'Factory Root' --key-file pki/root.key --out pki/root-2",
              "renews it: same name and key, so devices under it need no new leaf"}},
            [](const Invocation& call) { return make_ca(call, this_world()); },
            written_notes};
}

Command intermediate_command() {
    return {
        "pki intermediate",
        "make a CA below another one, or certify an existing CA again",
        Parameters{option("--cn NAME", "common name"),
                   option("--out PREFIX", "where to put it").must_be_given()} +
            issuer_parameters(true) +
            Parameters{option("--subject-cert FILE",
                              "certify this CA's subject and key: a cross-certificate, or a "
                              "renewal under the same issuer")} +
            validity_parameters("1825") + key_parameters() + ca_parameters(),
        {{"rollcall pki intermediate --cn 'Factory A' --issuer pki/root --out pki/factory-a", ""},
         {"rollcall pki intermediate --subject-cert pki/factory-a.pem --issuer pki/root-2 "
          "--out pki/factory-a-cross",
          "a cross-certificate: leaves of Factory A then also chain to the second root"}},
        [](const Invocation& call) { return make_intermediate(call, this_world()); },
        std::string{written_notes} +
            " Also writes PREFIX.chain.pem: the CA and those above it without the root. With "
            "--subject-cert a key is written only where --key-file names it."};
}

Command leaf_command() {
    return {
        "pki leaf",
        "make a device's certificate, or a fleet of them",
        Parameters{option("--cn NAME", "common name: the device's registration id"),
                   option("--out PREFIX", "where to put it").must_be_given()} +
            issuer_parameters(false) +
            Parameters{
                flag("--self-signed", "signed by its own key (individual enrollments)"),
                flag("--chain", "also write PREFIX.chain.pem: leaf and intermediates"),
                option("--eku LIST",
                       "extended key usage, comma-separated; none: leave it out "
                       "(clientAuth)"),
                option("--count N", "make so many; {} in --cn and --out is the number").is_number(),
                option("--first N", "the first number of a fleet (1)").is_number(),
                option("--org NAME", "organization (O=)"),
                option("--dns NAME", "subject alternative name").may_repeat(),
                option("--ip ADDRESS", "subject alternative address").may_repeat()} +
            validity_parameters("365") + key_parameters(),
        {{"rollcall pki leaf --cn dev-1 --issuer pki/factory-a --out pki/dev-1 --chain", ""},
         {"rollcall pki leaf --cn dev-2 --self-signed --out pki/dev-2 --key ed25519", ""},
         {"rollcall pki leaf --cn dev-{} --issuer pki/factory-a --count 500 --out "
          "pki/fleet/dev-{} --chain",
          "a fleet of 500"}},
        [](const Invocation& call) { return make_leaves(call, this_world()); },
        written_notes};
}

Command verification_command() {
    return {"pki verification",
            "make the certificate that proves possession of a CA's key",
            Parameters{option("--code CODE", "the code that was asked for").must_be_given()} +
                issuer_parameters(true) +
                Parameters{option("--out FILE", "where to put it; standard output otherwise"),
                           flag("--force", "replace a file that exists")} +
                validity_parameters("1"),
            {{"rollcall pki verification --code 4F2A... --issuer pki/root --out pki/proof.pem",
              "the code is what rollcall group cert code or rollcall ca code printed"}},
            [](const Invocation& call) { return make_verification(call, this_world()); },
            "The certificate's own key is thrown away: only the CA's signature counts."};
}

Command inspect_command() {
    return {"pki inspect",
            "say what certificate files hold, and what is odd about it",
            {positional("FILE", "PEM, DER or base64; - is standard input").may_repeat()},
            {{"rollcall pki inspect pki/dev-1.chain.pem", ""},
             {"rollcall pki inspect --json pki/root.pem pki/factory-a.pem", ""}},
            [](const Invocation& call) { return inspect_files(call, system_clock); },
            "Exit 1 when a file holds something else than certificates; it is still named."};
}

Command verify_command() {
    return {
        "pki verify",
        "judge a chain as the server judges a device's",
        {option("--anchors FILE", "trust anchors").may_repeat(),
         option("--chain FILE", "the end entity first, then intermediates in any order")
             .may_repeat(),
         option("--at UNIX", "the time to judge at, in Unix seconds (now)").is_number(),
         option("--purpose PURPOSE", "what the extended key usage must allow (client)")
             .one_of({"client", "server", "any"}),
         option("--max-depth N", "allow so many intermediates").is_number(),
         option("--crls FILE", "revocation lists; each certificate then needs one").may_repeat(),
         option("--clock-skew SECONDS", "tolerance for not yet valid certificates (0)").is_number(),
         option("--name NAME", "a name that the end entity's subjectAltName must hold"),
         flag("--batch", "read JSON objects from standard input, one a line")},
        {{"rollcall pki verify --anchors pki/root.pem --chain pki/dev-1.chain.pem", ""},
         {"rollcall pki verify --batch < requests.jsonl",
          "{\"id\",\"at\",\"anchors\":[PEM],\"chain\":[PEM],\"max_depth\",\"purpose\",\"crls\","
          "\"name\"} a line"}},
        [](const Invocation& call) { return verify_chain(call, system_clock); },
        "Exit 0 valid, 1 invalid, 77 cannot judge. A batch answers each line with "
        "{\"id\",\"valid\",\"reason\"} or {\"id\",\"skip\"}."};
}

}  // namespace

std::vector<Command> pki_commands() {
    return {ca_command(),           intermediate_command(), leaf_command(),
            verification_command(), inspect_command(),      verify_command()};
}

}  // namespace rollcall::app
