// SPDX-License-Identifier: Apache-2.0
// A server for tests of HTTP clients: on DIR/operator.sock it gives canned answers in order, one
// connection each, and keeps what it was asked. Blocking, one thread.
#pragma once

#include <filesystem>
#include <mutex>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace rollcall::testing {

class CannedServer {
public:
    struct Answer {
        int status = 200;
        std::string body{};
    };

    CannedServer(const std::filesystem::path& directory, std::vector<Answer> answers)
        : answers_(std::move(answers)), socket_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        const std::string path = (directory / "operator.sock").string();
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        ::unlink(path.c_str());
        if (::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
            ::listen(socket_, 8) != 0) {
            throw std::runtime_error("cannot listen on " + path);
        }
        thread_ = std::thread{[this] { serve(); }};
    }
    ~CannedServer() {
        ::shutdown(socket_, SHUT_RDWR);
        thread_.join();
        ::close(socket_);
    }
    CannedServer(const CannedServer&) = delete;
    CannedServer& operator=(const CannedServer&) = delete;

    /// Whole requests, head and body.
    std::vector<std::string> requests() const {
        const std::scoped_lock lock{mutex_};
        return requests_;
    }

private:
    void serve() {
        for (const Answer& answer : answers_) {
            const int peer = ::accept(socket_, nullptr, nullptr);
            if (peer < 0) {
                return;
            }
            std::string request = read_request(peer);
            {
                const std::scoped_lock lock{mutex_};
                requests_.push_back(std::move(request));
            }
            const std::string text =
                "HTTP/1.1 " + std::to_string(answer.status) +
                " X\r\nConnection: close\r\nContent-Length: " + std::to_string(answer.body.size()) +
                "\r\n\r\n" + answer.body;
            if (::write(peer, text.data(), text.size()) < 0) {
                return;
            }
            ::close(peer);
        }
    }

    static std::string read_request(int peer) {
        std::string request;
        char buffer[4096];
        for (;;) {
            const auto end = request.find("\r\n\r\n");
            if (end != std::string::npos) {
                const auto length = request.find("Content-Length: ");
                const std::size_t body = length < end ? std::stoul(request.substr(length + 16)) : 0;
                if (request.size() >= end + 4 + body) {
                    return request;
                }
            }
            const ssize_t count = ::read(peer, buffer, sizeof buffer);
            if (count <= 0) {
                return request;
            }
            request.append(buffer, static_cast<std::size_t>(count));
        }
    }

    const std::vector<Answer> answers_;
    int socket_;
    std::thread thread_;
    mutable std::mutex mutex_;
    std::vector<std::string> requests_;
};

}  // namespace rollcall::testing
