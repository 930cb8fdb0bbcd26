// SPDX-License-Identifier: Apache-2.0
// OpenSSL 3 deprecates calling a hash function itself: going around its look-ups is the point here.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "net/key_schedule.hpp"

#include "base/bytes.hpp"
#include "x509/openssl.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <memory>
#include <string_view>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <openssl/objects.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/sha.h>

namespace rollcall::net {
namespace {

constexpr auto* provider_name = "rollcall";
/// The question mark: everything else comes from whoever has it.
constexpr auto* properties = "?provider=rollcall";

// --- HKDF (RFC 5869), as TLS 1.3 uses it (RFC 8446 section 7.1) ---

struct Sha256 {
    static constexpr std::size_t size = SHA256_DIGEST_LENGTH;
    static constexpr std::size_t block = SHA256_CBLOCK;
    using State = SHA256_CTX;
    static constexpr auto init = SHA256_Init;
    static constexpr auto update = SHA256_Update;
    static constexpr auto final = SHA256_Final;
};

struct Sha384 {
    static constexpr std::size_t size = SHA384_DIGEST_LENGTH;
    static constexpr std::size_t block = SHA512_CBLOCK;
    using State = SHA512_CTX;
    static constexpr auto init = SHA384_Init;
    static constexpr auto update = SHA384_Update;
    static constexpr auto final = SHA384_Final;
};

/// A value that does not stay behind in memory.
template <class T>
class Fleeting : public T {
public:
    Fleeting() : T{} {}
    Fleeting(const Fleeting&) = delete;
    Fleeting& operator=(const Fleeting&) = delete;
    ~Fleeting() { OPENSSL_cleanse(static_cast<T*>(this), sizeof(T)); }
};

template <class Hash>
using Output = Fleeting<std::array<std::uint8_t, Hash::size>>;
using Parts = std::initializer_list<ByteView>;

template <class Hash>
void digest(ByteView first, Parts rest, std::uint8_t* into) {
    Fleeting<typename Hash::State> state;
    Hash::init(&state);
    Hash::update(&state, first.data(), first.size());
    for (const ByteView part : rest) {
        Hash::update(&state, part.data(), part.size());
    }
    Hash::final(into, &state);
}

/// HMAC (RFC 2104).
template <class Hash>
void authenticate(ByteView key, Parts parts, std::uint8_t* into) {
    Fleeting<std::array<std::uint8_t, Hash::block>> pad;
    if (key.size() > pad.size()) {
        digest<Hash>(key, {}, pad.data());
    } else {
        std::copy(key.begin(), key.end(), pad.begin());
    }
    const auto turn = [&pad](std::uint8_t by) {
        std::for_each(pad.begin(), pad.end(), [by](std::uint8_t& byte) { byte ^= by; });
    };
    constexpr std::uint8_t inner = 0x36;
    constexpr std::uint8_t outer = 0x5c;
    Output<Hash> inside;
    turn(inner);
    digest<Hash>(pad, parts, inside.data());
    turn(inner ^ outer);
    digest<Hash>(pad, {inside}, into);
}

/// What OpenSSL asks for: HKDF-Expand-Label, or the way from one secret to the next.
struct Order {
    int mode = -1;
    std::string_view hash{};
    ByteView key{};
    ByteView salt{};
    ByteView prefix{};
    ByteView label{};
    ByteView data{};
};

/// HKDF-Expand-Label. All that a handshake asks for fits in one block of output; an exporter of
/// more is refused.
template <class Hash>
bool expand(const Order& order, ByteView key, ByteView data, std::span<std::uint8_t> into) {
    constexpr std::size_t byte_max = 0xff;
    const std::size_t label = order.prefix.size() + order.label.size();
    if (into.size() > Hash::size || label > byte_max || data.size() > byte_max) {
        return false;
    }
    const std::array<std::uint8_t, 3> head{0, static_cast<std::uint8_t>(into.size()),
                                           static_cast<std::uint8_t>(label)};
    const std::array<std::uint8_t, 1> data_size{static_cast<std::uint8_t>(data.size())};
    constexpr std::array<std::uint8_t, 1> first_block{1};
    Output<Hash> block;
    authenticate<Hash>(key, {head, order.prefix, order.label, data_size, data, first_block},
                       block.data());
    std::copy_n(block.begin(), into.size(), into.begin());
    return true;
}

/// HKDF-Extract with "derived" of the secret before as its salt; zeros stand in for what is absent.
template <class Hash>
bool extract(const Order& order, std::span<std::uint8_t> into) {
    constexpr std::array<std::uint8_t, Hash::size> zeros{};
    if (into.size() != Hash::size) {
        return false;
    }
    Output<Hash> salt;
    if (order.salt.data() != nullptr) {
        std::array<std::uint8_t, Hash::size> of_nothing;
        digest<Hash>({}, {}, of_nothing.data());
        if (!expand<Hash>(order, order.salt, of_nothing, salt)) {
            return false;
        }
    }
    authenticate<Hash>(salt, {order.key.data() != nullptr ? order.key : ByteView(zeros)},
                       into.data());
    return true;
}

template <class Hash>
bool derive(const Order& order, std::span<std::uint8_t> into) {
    switch (order.mode) {
        case EVP_KDF_HKDF_MODE_EXTRACT_ONLY: return extract<Hash>(order, into);
        case EVP_KDF_HKDF_MODE_EXPAND_ONLY:
            return !order.key.empty() && expand<Hash>(order, order.key, order.data, into);
        default: return false;
    }
}

// --- as OpenSSL's providers have it (provider-kdf(7)) ---

ByteView bytes_of(const OSSL_PARAM& given) {
    return {static_cast<const std::uint8_t*>(given.data), given.data_size};
}

bool read_order(const OSSL_PARAM* given, Order& order) {
    for (; given != nullptr && given->key != nullptr; ++given) {
        const std::string_view name = given->key;
        if (name == OSSL_KDF_PARAM_MODE) {
            if (OSSL_PARAM_get_int(given, &order.mode) != 1) {
                return false;
            }
        } else if (name == OSSL_KDF_PARAM_DIGEST) {
            order.hash = static_cast<const char*>(given->data);
        } else if (name == OSSL_KDF_PARAM_KEY) {
            order.key = bytes_of(*given);
        } else if (name == OSSL_KDF_PARAM_SALT) {
            order.salt = bytes_of(*given);
        } else if (name == OSSL_KDF_PARAM_PREFIX) {
            order.prefix = bytes_of(*given);
        } else if (name == OSSL_KDF_PARAM_LABEL) {
            order.label = bytes_of(*given);
        } else if (name == OSSL_KDF_PARAM_DATA) {
            order.data = bytes_of(*given);
        }
    }
    return true;
}

/// Nothing is kept between calls: libssl gives all it has to say together with the order.
int on_derive(void*, unsigned char* into, std::size_t size, const OSSL_PARAM* given) {
    Order order;
    if (!read_order(given, order)) {
        return 0;
    }
    const std::span<std::uint8_t> output{into, size};
    if (order.hash == OSSL_DIGEST_NAME_SHA2_256 || order.hash == SN_sha256) {
        return derive<Sha256>(order, output) ? 1 : 0;
    }
    const bool sha384 = order.hash == OSSL_DIGEST_NAME_SHA2_384 || order.hash == SN_sha384;
    return sha384 && derive<Sha384>(order, output) ? 1 : 0;
}

void* on_new(void* provider) {
    return provider;
}
void on_free(void*) {}
void on_reset(void*) {}

template <class Function>
constexpr OSSL_DISPATCH entry(int id, Function* function) {
    return {id, reinterpret_cast<void (*)()>(function)};
}

const OSSL_ALGORITHM* on_query(void*, int operation, int* no_cache) {
    static const std::array<OSSL_DISPATCH, 5> functions{
        entry(OSSL_FUNC_KDF_NEWCTX, on_new), entry(OSSL_FUNC_KDF_FREECTX, on_free),
        entry(OSSL_FUNC_KDF_RESET, on_reset), entry(OSSL_FUNC_KDF_DERIVE, on_derive),
        OSSL_DISPATCH{0, nullptr}};
    static const std::array<OSSL_ALGORITHM, 2> algorithms{
        OSSL_ALGORITHM{OSSL_KDF_NAME_TLS1_3_KDF, "provider=rollcall", functions.data(),
                       "TLS 1.3 key schedule"},
        OSSL_ALGORITHM{nullptr, nullptr, nullptr, nullptr}};
    *no_cache = 0;
    return operation == OSSL_OP_KDF ? algorithms.data() : nullptr;
}

int on_load(const OSSL_CORE_HANDLE* handle, const OSSL_DISPATCH*, const OSSL_DISPATCH** offered,
            void** context) {
    static const std::array<OSSL_DISPATCH, 2> functions{
        entry(OSSL_FUNC_PROVIDER_QUERY_OPERATION, on_query), OSSL_DISPATCH{0, nullptr}};
    *offered = functions.data();
    // Anything but null: there is no state.
    *context = const_cast<OSSL_CORE_HANDLE*>(handle);
    return 1;
}

OSSL_PROVIDER* install() {
    constexpr int keep_default_provider = 1;
    OSSL_PROVIDER* loaded = nullptr;
    if (OPENSSL_init_crypto(0, nullptr) == 1 &&
        OSSL_PROVIDER_add_builtin(nullptr, provider_name, on_load) == 1) {
        loaded = OSSL_PROVIDER_try_load(nullptr, provider_name, keep_default_provider);
    }
    x509::forget_openssl_errors();
    return loaded;
}

}  // namespace

const char* short_key_schedule() {
    // Ends before OpenSSL does, which has to have begun for that.
    static const std::unique_ptr<OSSL_PROVIDER, decltype(&OSSL_PROVIDER_unload)> provider(
        install(), &OSSL_PROVIDER_unload);
    return provider ? properties : nullptr;
}

}  // namespace rollcall::net
