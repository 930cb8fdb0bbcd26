// SPDX-License-Identifier: Apache-2.0
// DpsServiceApi: the data plane of Azure's Device Provisioning Service as its SDKs and `az iot dps`
// speak it, on the operator door (spec/dps-service-api.md 2.1 to 2.6): individual enrollments,
// enrollment groups and registrations. It translates words; what they do is service/enroller's.
// Its words: dps_service_wire.hpp and dps_service_reader.hpp.
#pragma once

#include "base/world.hpp"
#include "front/declared_route.hpp"
#include "front/dps_service_wire.hpp"
#include "net/http.hpp"
#include "service/access.hpp"
#include "service/enroller.hpp"

#include <string>
#include <string_view>

namespace rollcall::front {

struct BulkRequest;
struct BulkEntry;

class DpsServiceApi final : public net::HttpHandler {
public:
    /// All outlive it.
    struct Services {
        service::Enroller& enroller;
        service::Access& access;
        service::TrustBook& trust_book;
        store::StoreReader& reader;
        const Clock& clock;
        Entropy& entropy;
    };

    explicit DpsServiceApi(const Services& services) : services_(services) {}

    Task<net::HttpResponse> handle(const net::HttpRequest& request) override;
    net::HttpResponse refuse(unsigned status, const Error& error,
                             const net::HttpRequest& so_far) override;
    std::size_t body_bytes_max() const override;

    static DeclaredRoutes declared_routes();

private:
    enum class Operation { get, put, erase, query, mechanism, bulk };
    struct Target;
    struct Call;
    struct Page;

    static service::Permission permission_of(const Target& target);
    static Result<Target> find_target(const net::HttpRequest& request);
    static Result<Page> read_page(const Call& call);
    Task<Result<net::HttpResponse>> answer(const net::HttpRequest& request);
    Task<Result<net::HttpResponse>> dispatch(const Call& call);
    Task<Result<net::HttpResponse>> get(const Call& call);
    Task<Result<net::HttpResponse>> get_individual(const Call& call);
    Task<Result<net::HttpResponse>> put(const Call& call);
    Task<Result<net::HttpResponse>> erase(const Call& call);
    Task<Result<net::HttpResponse>> mechanism(const Call& call);
    Task<Result<net::HttpResponse>> query(const Call& call);
    Task<Result<net::HttpResponse>> query_registrations(const Call& call, const Page& page);
    Task<Result<net::HttpResponse>> bulk(const Call& call);
    Task<Result<Done>> change_one(const Call& call, const BulkRequest& bulk,
                                  const BulkEntry& entry);
    Task<Result<bool>> exists(const Call& call, const std::string& id);
    net::HttpResponse refusal(const Error& error, const net::HttpRequest& request,
                              unsigned status = 0) const;

    Services services_;
};

}  // namespace rollcall::front
