// SPDX-License-Identifier: Apache-2.0
#include "net/tls.hpp"

#include "support/certificate_maker.hpp"
#include "support/http_server.hpp"
#include "support/scratch_directory.hpp"
#include "support/wire_client.hpp"

#include <fstream>
#include <thread>

#include <gtest/gtest.h>

namespace rollcall::net {
namespace {

using test::Answer;
using test::AnswerReader;
using test::RawProfile;
using test::TlsClient;
using test::TlsClientSettings;
using x509::Certificate;
using x509::IssuanceProfile;
using x509::KeyType;
using x509::PkeyHandle;
using x509::PrivateKey;
using x509::X509Handle;

constexpr std::string_view get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
constexpr int both_versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

TimePoint day(const char* text) {
    return parse_iso8601(text).value();
}

IssuanceProfile a_profile(IssuanceProfile::Kind kind, const std::string& name) {
    IssuanceProfile profile{.common_name = name,
                            .not_before = day("2025-01-01"),
                            .not_after = day("2085-01-01"),
                            .kind = kind};
    if (kind == IssuanceProfile::Kind::server) {
        profile.dns_names = {name};
    }
    return profile;
}

/// Certificates that all tests share; keys are slow to make.
struct Certificates {
    ScriptedEntropy entropy{11};
    PrivateKey root_key = PrivateKey::generate(KeyType::p256).value();
    PrivateKey issuing_key = PrivateKey::generate(KeyType::p256).value();
    PrivateKey device_key = PrivateKey::generate(KeyType::p256).value();
    Certificate root =
        x509::issue_self_signed(a_profile(IssuanceProfile::Kind::root, "Root"), root_key, entropy)
            .value()
            .certificate;
    Certificate issuing = x509::issue(a_profile(IssuanceProfile::Kind::intermediate, "Issuing"),
                                      issuing_key, root, root_key, entropy)
                              .value();
    Certificate device = x509::issue(a_profile(IssuanceProfile::Kind::device, "dev-1"), device_key,
                                     issuing, issuing_key, entropy)
                             .value();

    TlsCredential server(KeyType type, const std::string& name) {
        const auto key = PrivateKey::generate(type).value();
        const auto certificate = x509::issue(a_profile(IssuanceProfile::Kind::server, name), key,
                                             root, root_key, entropy)
                                     .value();
        return {.chain_pem = certificate.pem(), .key_pem = key.pem()};
    }
    TlsCredential ecdsa = server(KeyType::p256, "ecdsa.example");
    TlsCredential rsa = server(KeyType::rsa2048, "rsa.example");
};
Certificates& certificates() {
    static Certificates made;
    return made;
}

class Tls : public ::testing::Test {
protected:
    void start(AskForCertificate ask = [](std::string_view) { return true; }) {
        port_ = server_.open_tls({certificates().ecdsa}, std::move(ask)).address().port;
        server_.start();
    }
    TlsClientSettings device(int version = 0) const {
        TlsClientSettings settings;
        settings.version = version;
        settings.certificates = {certificates().device.native(), certificates().issuing.native()};
        settings.key = certificates().device_key.native();
        return settings;
    }
    Answer ask(const TlsClientSettings& settings) const {
        TlsClient client(port_, settings);
        client.send(get);
        return AnswerReader(client).next();
    }
    /// Waits for it: a client sees an alert before the server has counted it.
    bool counted(const std::string& line) const {
        for (int i = 0; i < 2'000; ++i) {
            if (server_.metrics.text().find(line) != std::string::npos) {
                return true;
            }
            ::usleep(5'000);
        }
        return false;
    }

    test::HttpTestServer server_;
    std::uint16_t port_ = 0;
};

std::string sent(const Certificate& certificate) {
    return "sent=" + certificate.sha256().hex() + "\n";
}
std::string sent(const X509* native) {
    return sent(Certificate::share(const_cast<X509*>(native)).value());
}

bool says(const Answer& answer, const std::string& line) {
    return answer.body.find(line) != std::string::npos;
}

/// The common name on the certificate the server showed.
std::string shown_by(const TlsClient& client) {
    X509* const certificate = SSL_get0_peer_certificate(client.native());
    return certificate == nullptr ? ""
                                  : Certificate::share(certificate)->common_name().value_or("");
}

// --- what is offered ---

TEST_F(Tls, SpeaksBothVersionsAndTellsWhich) {
    start();
    const Answer older = ask({.version = TLS1_2_VERSION});
    EXPECT_TRUE(says(older, "tls=TLSv1.2\ncipher=ECDHE-ECDSA-AES128-GCM-SHA256\n"));
    const Answer newer = ask({.version = TLS1_3_VERSION});
    EXPECT_TRUE(says(newer, "tls=TLSv1.3\ncipher=TLS_AES_128_GCM_SHA256\n"));
    EXPECT_TRUE(counted("rollcall_tls_handshakes_total 2"));
}

TEST_F(Tls, RefusesOlderVersions) {
    start();
    const TlsClient client(port_, {.version = TLS1_1_VERSION});
    EXPECT_FALSE(client.ready());
    EXPECT_TRUE(counted("rollcall_tls_handshake_failures_total{why=\"protocol\"} 1"));
}

TEST_F(Tls, OffersTheGroupsDevicesUse) {
    // Over TLS 1.2 the list also bounds which ECDSA certificate a client can take: RSA for them.
    port_ = server_.open_tls({certificates().ecdsa, certificates().rsa}).address().port;
    server_.start();
    for (const int version : both_versions) {
        for (const auto* group : {"X25519", "P-256", "P-384", "P-521"}) {
            EXPECT_EQ(ask({.version = version, .groups = group}).status, 200U) << group;
        }
        EXPECT_FALSE(TlsClient(port_, {.version = version, .groups = "X448"}).ready());
    }
}

TEST_F(Tls, TakesTheSuitesAzureListsAndNoOthers) {
    start();
    for (const auto* suite : {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
                              "ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA384"}) {
        const Answer answer = ask({.version = TLS1_2_VERSION, .suites = suite});
        EXPECT_TRUE(says(answer, "cipher=" + std::string(suite) + "\n")) << suite;
    }
    for (const auto* suite : {"AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA", "NULL", "aNULL"}) {
        EXPECT_FALSE(TlsClient(port_, {.version = TLS1_2_VERSION, .suites = suite}).ready())
            << suite;
    }
}

TEST_F(Tls, PrefersItsOwnOrderOfSuites) {
    start();
    const Answer answer = ask({.version = TLS1_2_VERSION,
                               .suites = "ECDHE-ECDSA-AES256-GCM-SHA384:"
                                         "ECDHE-ECDSA-AES128-GCM-SHA256"});
    EXPECT_TRUE(says(answer, "cipher=ECDHE-ECDSA-AES128-GCM-SHA256\n"));
}

TEST_F(Tls, GivesNothingToResume) {
    start();
    for (const int version : both_versions) {
        TlsClient client(port_, device(version));
        client.send(get);
        EXPECT_EQ(AnswerReader(client).next().status, 200U);
        const std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)> session(
            SSL_get1_session(client.native()), &SSL_SESSION_free);
        EXPECT_FALSE(SSL_SESSION_has_ticket(session.get()));
        EXPECT_FALSE(SSL_SESSION_is_resumable(session.get())) << version;
    }
}

TEST_F(Tls, DoesNotRenegotiate) {
    start();
    TlsClient client(port_, {.version = TLS1_2_VERSION});
    SSL_renegotiate(client.native());
    EXPECT_NE(SSL_do_handshake(client.native()), 1);
}

TEST_F(Tls, SurvivesKeyUpdates) {
    start();
    TlsClient client(port_, device(TLS1_3_VERSION));
    AnswerReader answers(client);
    for (int i = 0; i < 3; ++i) {
        SSL_key_update(client.native(), SSL_KEY_UPDATE_REQUESTED);
        client.send(get);
        EXPECT_TRUE(says(answers.next(), sent(certificates().device)));
    }
}

TEST_F(Tls, SendsALargeAnswerWholeToASlowReader) {
    start();
    TlsClient client(port_, {});
    client.send("GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(AnswerReader(client).next().body.size(), test::TellingHandler::large_answer_bytes);
}

// --- client certificates ---

TEST_F(Tls, AsksForACertificateOfAnyIssuerAndDoesNotInsist) {
    start();
    for (const int version : both_versions) {
        TlsClient client(port_, {.version = version});
        client.send(get);
        const Answer answer = AnswerReader(client).next();
        EXPECT_TRUE(says(answer, "asked=yes\npeer-error=\n"));
        EXPECT_FALSE(says(answer, "sent="));
        EXPECT_EQ(sk_X509_NAME_num(SSL_get0_peer_CA_list(client.native())) > 0, false);
    }
}

TEST_F(Tls, HandsUpTheChainAsItWasSent) {
    start();
    const Certificates& made = certificates();
    for (const int version : both_versions) {
        TlsClientSettings settings = device(version);
        settings.certificates.push_back(made.root.native());
        settings.certificates.push_back(made.issuing.native());  // twice
        for (int again = 0; again < 2; ++again) {                // also from the shared ones
            EXPECT_TRUE(says(ask(settings), "peer-error=\n" + sent(made.device) +
                                                sent(made.issuing) + sent(made.root) +
                                                sent(made.issuing)));
        }
    }
}

struct Flaw {
    const char* name;
    PkeyHandle key;
    RawProfile profile{};
    bool only_tls12 = false;
};

std::vector<Flaw> flawed_devices() {
    std::vector<Flaw> flaws;
    const auto add = [&flaws](const char* name, PkeyHandle key, const RawProfile& profile) {
        flaws.push_back({.name = name, .key = std::move(key), .profile = profile});
    };
    add("expired", test::ec_key(NID_X9_62_prime256v1), {.not_after = "20250201000000Z"});
    add("not yet valid", test::ec_key(NID_X9_62_prime256v1), {.not_before = "20840101000000Z"});
    add("version 1", test::ec_key(NID_X9_62_prime256v1), {.version = X509_VERSION_1});
    add("SHA-1", test::ec_key(NID_X9_62_prime256v1), {.digest = EVP_sha1()});
    add("MD5", test::rsa_key(2048), {.digest = EVP_md5()});
    add("RSA 1024, SHA-1", test::rsa_key(1024), {.digest = EVP_sha1()});
    add("P-384", test::ec_key(NID_secp384r1), {});
    add("P-521", test::ec_key(NID_secp521r1), {});
    add("RSA 3072", test::rsa_key(3072), {});
    add("Ed25519", test::plain_key(EVP_PKEY_ED25519), {.digest = nullptr});
    return flaws;
}

TEST_F(Tls, LetsEveryCertificateReachTheHandler) {
    start();
    for (const auto& flaw : flawed_devices()) {
        const X509Handle certificate = test::raw_certificate(flaw.key.get(), flaw.profile);
        for (const int version : both_versions) {
            TlsClientSettings settings;
            settings.version = version;
            settings.certificates = {certificate.get()};
            settings.key = flaw.key.get();
            const Answer answer = ask(settings);
            EXPECT_TRUE(says(answer, "peer-error=\n" + sent(certificate.get())))
                << flaw.name << " " << version << "\n"
                << answer.body;
        }
    }
}

TEST_F(Tls, BoundsTheNumberOfCertificates) {
    start();
    for (const int version : both_versions) {
        TlsClientSettings settings = device(version);
        settings.certificates.resize(limits::peer_certificates_max,
                                     certificates().issuing.native());
        const Answer allowed = ask(settings);
        EXPECT_TRUE(says(allowed, "peer-error=\nsent="));
        settings.certificates.push_back(certificates().root.native());
        const Answer refused = ask(settings);
        EXPECT_TRUE(says(refused, "peer-error=too-many-certificates\n"));
        EXPECT_FALSE(says(refused, "sent="));
    }
    EXPECT_TRUE(
        counted("rollcall_tls_peer_chains_unusable_total{why=\"too-many-certificates\"} 2"));
}

TEST_F(Tls, BoundsTheBytesOfCertificates) {
    start();
    const auto key = test::rsa_key(2048);
    const auto third = static_cast<int>(limits::peer_chain_bytes_max / 4);
    const X509Handle leaf = test::certificate_of_size(key.get(), third);
    const X509Handle allowed = test::certificate_of_size(key.get(), third);
    // Room for the framing of 32 certificates is left on top, which these four do not need.
    const X509Handle over = test::certificate_of_size(key.get(), third + 170);
    for (const int version : both_versions) {
        TlsClientSettings settings;
        settings.version = version;
        settings.key = key.get();
        settings.certificates = {leaf.get(), allowed.get(), allowed.get(), allowed.get()};
        EXPECT_TRUE(says(ask(settings), "peer-error=\nsent=")) << version;
        settings.certificates.back() = over.get();
        EXPECT_EQ(ask(settings).status, 0U) << version;
    }
    EXPECT_TRUE(counted("rollcall_tls_handshake_failures_total{why=\"certificate\"} 2"));
}

TEST_F(Tls, CountsWhatOpenSslItselfMustRefuse) {
    start();
    // A curve that is not offered, over TLS 1.2 (over 1.3 the client cannot even send it).
    const auto key = test::ec_key(NID_secp256k1);
    const X509Handle certificate = test::raw_certificate(key.get(), {});
    TlsClientSettings settings;
    settings.version = TLS1_2_VERSION;
    settings.certificates = {certificate.get()};
    settings.key = key.get();
    settings.groups = "P-256:secp256k1";
    EXPECT_EQ(ask(settings).status, 0U);
    EXPECT_TRUE(counted("rollcall_tls_handshake_failures_total{why=\"certificate\"} 1"));
}

// --- names ---

TEST_F(Tls, DecidesByNameWhomToAsk) {
    start([](std::string_view name) { return name != "operator.example"; });
    for (const int version : both_versions) {
        TlsClientSettings settings = device(version);
        for (const auto* name : {"operator.example", "OPERATOR.example."}) {
            settings.server_name = name;
            const Answer answer = ask(settings);
            EXPECT_TRUE(says(answer, "operator\n")) << name;
            EXPECT_TRUE(says(answer, "sni=operator.example\nasked=no\n")) << name;
            EXPECT_FALSE(says(answer, "sent=")) << name;
        }
        for (const auto* name : {"", "dps.example", "operator.example.org"}) {
            settings.server_name = name;
            const Answer answer = ask(settings);
            EXPECT_TRUE(says(answer, "device\n")) << name;
            EXPECT_TRUE(says(answer, "sni=" + std::string(name) + "\nasked=yes\n")) << name;
            EXPECT_TRUE(says(answer, sent(certificates().device))) << name;
        }
    }
}

// --- the server's own certificate ---

TEST_F(Tls, ShowsEcdsaToWhoCanTakeIt) {
    port_ = server_.open_tls({certificates().rsa, certificates().ecdsa}).address().port;
    server_.start();
    EXPECT_EQ(shown_by(TlsClient(port_, {})), "ecdsa.example");
    EXPECT_EQ(shown_by(TlsClient(port_, {.version = TLS1_2_VERSION, .suites = "aRSA"})),
              "rsa.example");
}

TEST_F(Tls, ReplacesItsCertificateUnderLivingSessions) {
    start();
    TlsClient living(port_, {});
    AnswerReader answers(living);
    living.send(get);
    EXPECT_EQ(answers.next().status, 200U);
    EXPECT_TRUE(server_.tls->replace({certificates().server(KeyType::p256, "new.example")}));
    EXPECT_EQ(shown_by(TlsClient(port_, {})), "new.example");
    living.send(get);
    EXPECT_EQ(answers.next().status, 200U);
    EXPECT_EQ(shown_by(living), "ecdsa.example");
}

TEST_F(Tls, KeepsItsCertificateWhenTheNewOneIsNoGood) {
    start();
    const TlsCredential& good = certificates().ecdsa;
    const std::string other_key = PrivateKey::generate(KeyType::p256).value().pem();
    const std::pair<TlsCredential, std::string> rows[] = {
        {{"", good.key_pem}, "bad-server-certificate"},
        {{"no PEM at all", good.key_pem}, "bad-server-certificate"},
        {{good.chain_pem + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
          good.key_pem},
         "bad-server-certificate"},
        {{good.chain_pem, ""}, "bad-server-key"},
        {{good.chain_pem, "-----BEGIN PRIVATE KEY-----\nAAAA\n"}, "bad-server-key"},
        {{good.chain_pem, other_key}, "key-mismatch"},
        {{good.chain_pem, certificates().rsa.key_pem}, "key-mismatch"},
    };
    for (const auto& [credential, reason] : rows) {
        const auto replaced = server_.tls->replace({credential});
        ASSERT_FALSE(replaced);
        EXPECT_EQ(replaced.error().reason, reason) << replaced.error().detail;
        EXPECT_EQ(TlsServer::make({credential}, server_.metrics).error().reason, reason);
    }
    EXPECT_EQ(shown_by(TlsClient(port_, {})), "ecdsa.example");
}

TEST_F(Tls, ReadsAKeyThatStandsBesideTheCertificateInOneFile) {
    const TlsCredential& good = certificates().ecdsa;
    const std::string both = good.key_pem + good.chain_pem;
    EXPECT_TRUE(TlsServer::make({{both, both}}, server_.metrics));
}

class TlsFiles : public Tls {
protected:
    TlsFiles() { files_ = {.chain = directory_ / "server.pem", .key = directory_ / "server.key"}; }
    ~TlsFiles() override { server_.stop(std::chrono::milliseconds{0}); }
    static void write(const std::filesystem::path& path, const std::string& text) {
        const std::filesystem::path fresh = path.string() + ".new";
        std::ofstream(fresh) << text;
        std::filesystem::rename(fresh, path);
    }
    void write(const TlsCredential& credential) const {
        write(files_.key, credential.key_pem);
        write(files_.chain, credential.chain_pem);
    }
    bool shows(const std::string& name) const {
        for (int i = 0; i < 2000; ++i) {
            if (shown_by(TlsClient(port_, {})) == name) {
                return true;
            }
            ::usleep(5000);
        }
        return false;
    }

    test::ScratchDirectory scratch_;
    const std::filesystem::path directory_ = scratch_.path();
    CredentialFiles files_;
};

TEST_F(TlsFiles, AreReloadedWhenTheyChange) {
    write(certificates().ecdsa);
    const auto read = read_credential(files_);
    ASSERT_TRUE(read);
    port_ = server_.open_tls({*read}).address().port;
    Core& core = server_.runtime.core(0);
    core.spawn("reload",
               reload_on_change(core, *server_.tls, {files_}, std::chrono::milliseconds{2}));
    server_.start();
    EXPECT_TRUE(shows("ecdsa.example"));
    write(files_.chain, "half a fi");  // passes by without harm
    const TlsCredential second = certificates().server(KeyType::p256, "second.example");
    write(second);
    EXPECT_TRUE(shows("second.example"));
    write(certificates().server(KeyType::rsa2048, "third.example"));
    EXPECT_TRUE(shows("third.example"));
}

TEST_F(TlsFiles, AreNamedWhenTheyCannotBeRead) {
    const auto missing = read_credential(files_);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().kind, ErrorKind::not_found);
    EXPECT_NE(missing.error().detail.find("server.pem"), std::string::npos);
    write(files_.chain, std::string(limits::certificate_file_bytes_max, 'x'));
    write(files_.key, "k");
    EXPECT_TRUE(read_credential(files_));
    write(files_.chain, std::string(limits::certificate_file_bytes_max + 1, 'x'));
    EXPECT_EQ(read_credential(files_).error().kind, ErrorKind::too_large);
}

// --- strangers ---

TEST_F(Tls, EndsHandshakesThatDoNotCome) {
    server_.settings.handshake_time = std::chrono::milliseconds{50};
    start();
    for (const auto& begun : {std::string{}, std::string("\x16\x03\x01\x02\x00\x01", 6)}) {
        test::WireClient client = test::WireClient::to_port(port_);
        client.send(begun);
        EXPECT_TRUE(client.ended());
    }
    EXPECT_EQ(ask({}).status, 200U);
    EXPECT_TRUE(counted("rollcall_tls_handshake_failures_total{why=\"lost\"} 2"));
}

TEST_F(Tls, EndsWhatIsNotTls) {
    start();
    test::WireClient client = test::WireClient::to_port(port_);
    client.send(get);
    client.receive();  // perhaps an alert
    EXPECT_TRUE(client.ended());
    EXPECT_TRUE(counted("rollcall_tls_handshake_failures_total{why=\"protocol\"} 1"));
}

TEST_F(Tls, SurvivesClientsThatVanishAnywhere) {
    start();
    for (const std::size_t after : {1U, 5U, 100U, 300U}) {
        test::WireClient client = test::WireClient::to_port(port_);
        client.send(std::string("\x16\x03\x01\x02\x00", 5) + std::string(after, '\1'));
    }
    { const TlsClient without_request(port_, device()); }
    {
        TlsClient without_reading(port_, device());
        without_reading.send("GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
    }
    {
        TlsClient cut_off(port_, device());
        cut_off.send("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\na");
        cut_off.wire().finish_sending();
        EXPECT_TRUE(cut_off.ended());
    }
    EXPECT_EQ(ask(device()).status, 200U);
    while (server_.listeners.front()->connections() > 0) {
        ::usleep(1000);
    }
}

TEST_F(Tls, ServesManyAtOnceOnAllCores) {
    start();
    std::atomic<int> right{0};
    std::vector<std::thread> clients;
    for (int i = 0; i < 4; ++i) {
        clients.emplace_back([this, &right] {
            for (int n = 0; n < 25; ++n) {
                right += says(ask(device(n % 2 == 0 ? TLS1_3_VERSION : TLS1_2_VERSION)),
                              sent(certificates().device) + sent(certificates().issuing))
                             ? 1
                             : 0;
            }
        });
    }
    for (int i = 0; i < 20; ++i) {
        EXPECT_TRUE(server_.tls->replace({certificates().ecdsa}));
    }
    for (auto& client : clients) {
        client.join();
    }
    EXPECT_EQ(right, 100);
}

}  // namespace
}  // namespace rollcall::net
