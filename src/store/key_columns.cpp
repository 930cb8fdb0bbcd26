// SPDX-License-Identifier: Apache-2.0
#include "store/key_columns.hpp"

#include "store/packed.hpp"

#include <algorithm>

namespace rollcall::store {
namespace {

std::string context_of(const std::string& instance) {
    return "symmetric keys of " + instance;
}

}  // namespace

Bytes sealed_keys(const x509::SecretBox& box, const std::optional<domain::SymmetricKeys>& keys,
                  const std::string& instance) {
    if (!keys) {
        return {};
    }
    Bytes plain;
    Packer packer{plain};
    for (const auto& key : *keys) {
        packer.text(as_text(key.bytes()));
    }
    Bytes sealed = box.seal(plain, context_of(instance));
    std::fill(plain.begin(), plain.end(), std::uint8_t{0});
    return sealed;
}

Result<std::optional<domain::SymmetricKeys>> read_keys(Query& row, const x509::SecretBox& box,
                                                       const std::string& instance) {
    using Read = std::optional<domain::SymmetricKeys>;
    if (row.is_null()) {
        row.skip();
        return Read{};
    }
    auto plain = box.open(row.blob(), context_of(instance));
    if (!plain) {
        return std::move(plain.error());
    }
    Unpacker unpacker{*plain};
    domain::SymmetricKeys keys;
    for (auto& key : keys) {
        const std::string bytes = unpacker.text();
        auto read = domain::symmetric_key_of(Bytes{bytes.begin(), bytes.end()});
        if (!read) {
            return unreadable_record("a symmetric key of another size");
        }
        key = std::move(*read);
    }
    if (!unpacker.complete()) {
        return unreadable_record("symmetric keys with something behind them");
    }
    return Read{std::move(keys)};
}

}  // namespace rollcall::store
