// SPDX-License-Identifier: Apache-2.0
// Console: the web console's files on the operator door. "/" and everything below "/ui" answer the
// one page, whose script then looks at the address; "/assets/…" are what that page loads. They are
// public: who asks is asked by the APIs behind them.
#pragma once

#include "front/declared_route.hpp"
#include "net/http.hpp"

#include <span>
#include <string_view>

namespace rollcall::front {

/// A file as it was built. Names below "assets/" hold a hash of what is in them, so that it never
/// changes under a name. The views outlive every Console.
struct ConsoleFile {
    std::string_view path{};  ///< "index.html", "assets/index-1b2c3d.js"
    std::string_view type{};  ///< Content-Type
    std::string_view etag{};  ///< of `bytes`, without quotes
    std::string_view bytes{};
    std::string_view gzip{};  ///< the same compressed; empty where that gains nothing
};

class Console final : public net::HttpHandler {
public:
    /// No files: a program that was built without its console, and says so.
    explicit Console(std::span<const ConsoleFile> files) : files_(files) {}

    Task<net::HttpResponse> handle(const net::HttpRequest& request) override;
    net::HttpResponse refuse(unsigned status, const Error& error,
                             const net::HttpRequest& so_far) override;
    std::size_t body_bytes_max() const override { return 0; }

    static DeclaredRoutes declared_routes();

private:
    net::HttpResponse answer(const net::HttpRequest& request) const;
    const ConsoleFile* file_at(std::string_view path) const;

    std::span<const ConsoleFile> files_;
};

}  // namespace rollcall::front
