// SPDX-License-Identifier: Apache-2.0
#include "net/tls.hpp"

#include "base/limits.hpp"
#include "net/tls_context.hpp"
#include "net/tls_stream.hpp"

#include <fstream>
#include <iterator>
#include <mutex>
#include <sstream>
#include <system_error>

namespace rollcall::net {

struct TlsServer::Held {
    explicit Held(Metrics& metrics) : shared(metrics) {}

    std::shared_ptr<SSL_CTX> current() {
        const std::lock_guard lock(mutex);
        return context;
    }
    void swap(std::shared_ptr<SSL_CTX> fresh) {
        const std::lock_guard lock(mutex);
        context.swap(fresh);
    }

    TlsShared shared;

private:
    std::mutex mutex;
    std::shared_ptr<SSL_CTX> context;
};

TlsServer::TlsServer(std::unique_ptr<Held> held) : held_(std::move(held)) {}
TlsServer::~TlsServer() = default;

Result<std::unique_ptr<TlsServer>> TlsServer::make(const std::vector<TlsCredential>& credentials,
                                                   Metrics& metrics) {
    TRY(auto context, make_tls_context(credentials));
    auto held = std::make_unique<Held>(metrics);
    held->swap(std::move(context));
    return std::unique_ptr<TlsServer>(new TlsServer(std::move(held)));
}

Result<Done> TlsServer::replace(const std::vector<TlsCredential>& credentials) {
    TRY(auto context, make_tls_context(credentials));
    held_->swap(std::move(context));
    return Done{};
}

std::unique_ptr<Stream> TlsServer::stream(Core& core, AcceptedSocket socket,
                                          const AskForCertificate& ask) {
    // The SSL holds a reference of its own: a swap does not disturb it.
    const auto context = held_->current();
    return std::make_unique<TlsStream>(core, std::move(socket), context.get(), held_->shared, ask);
}

namespace {

Result<std::string> read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        return Error{ErrorKind::not_found, path.string() + " cannot be read", "unreadable-file"};
    }
    std::string text;
    text.resize(limits::certificate_file_bytes_max + 1);
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.size() > limits::certificate_file_bytes_max) {
        return Error{ErrorKind::too_large, path.string() + " is too large", "file-too-large"};
    }
    return text;
}

/// What tells one content of a file from the next without reading it.
struct FileState {
    std::filesystem::file_time_type written{};
    std::uintmax_t size = 0;

    bool operator==(const FileState&) const = default;
};

FileState state_of(const std::filesystem::path& path) {
    std::error_code missing;
    FileState state;
    state.written = std::filesystem::last_write_time(path, missing);
    state.size = std::filesystem::file_size(path, missing);
    return state;
}

std::vector<FileState> states_of(const std::vector<CredentialFiles>& files) {
    std::vector<FileState> states;
    for (const auto& pair : files) {
        states.push_back(state_of(pair.chain));
        states.push_back(state_of(pair.key));
    }
    return states;
}

Result<Done> reload(TlsServer& server, const std::vector<CredentialFiles>& files) {
    std::vector<TlsCredential> credentials;
    for (const auto& pair : files) {
        TRY(auto credential, read_credential(pair));
        credentials.push_back(std::move(credential));
    }
    return server.replace(credentials);
}

}  // namespace

Result<TlsCredential> read_credential(const CredentialFiles& files) {
    TRY(auto chain, read_file(files.chain));
    TRY(auto key, read_file(files.key));
    return TlsCredential{.chain_pem = std::move(chain), .key_pem = std::move(key)};
}

Task<void> reload_on_change(Core& core, TlsServer& server, std::vector<CredentialFiles> files,
                            std::chrono::milliseconds every) {
    // The first look always reads: what changed since the server was made must not be missed.
    std::vector<FileState> loaded;
    while (co_await core.sleep(every)) {
        auto found = states_of(files);
        if (found == loaded) {
            continue;
        }
        loaded = std::move(found);
        const auto replaced = reload(server, files);
        if (replaced) {
            log_event(Severity::info, "server-certificate-reloaded",
                      {{"file", files.front().chain.string()}});
        } else {
            // Perhaps only one of the two files has been written yet: the other will change too.
            log_event(Severity::warning, "server-certificate-not-reloaded",
                      {{"file", files.front().chain.string()},
                       {"reason", replaced.error().reason},
                       {"note", replaced.error().detail}});
        }
    }
}

}  // namespace rollcall::net
