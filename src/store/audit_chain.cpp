// SPDX-License-Identifier: Apache-2.0
#include "store/audit_chain.hpp"

#include "base/limits.hpp"
#include "x509/digest.hpp"

#include <charconv>

namespace rollcall::store {
namespace {

/// Names the serialisation, so that a later one can never be read as this one.
constexpr std::string_view record_format = "rollcall audit record 1";
constexpr std::string_view head_format = "rollcall audit head 1";
constexpr std::string_view checkpoint_format = "rollcall audit checkpoint 1";
constexpr std::string_view broken_action = "audit.broken";

void put(Bytes& out, std::uint64_t value) {
    for (int shift = 56; shift >= 0; shift -= 8) {
        out.push_back(static_cast<std::uint8_t>(value >> shift));
    }
}

void put(Bytes& out, std::string_view text) {
    put(out, std::uint64_t{text.size()});
    out.insert(out.end(), text.begin(), text.end());
}

void put(Bytes& out, const Digest& digest) {
    out.insert(out.end(), digest.bytes.begin(), digest.bytes.end());
}

AuditHead signed_as(std::string_view format, std::uint64_t sequence, const Digest& hash,
                    const Digest& key) {
    Bytes bytes;
    put(bytes, format);
    put(bytes, sequence);
    put(bytes, hash);
    return {sequence, hash, x509::hmac_sha256(key.bytes, bytes)};
}

bool same_signature(const AuditHead& a, const AuditHead& b) {
    return equal_in_constant_time(a.signature.bytes, b.signature.bytes);
}

}  // namespace

Digest audit_hash(std::uint64_t sequence, const domain::AuditEvent& event, const Digest& previous) {
    Bytes bytes;
    put(bytes, record_format);
    put(bytes, previous);
    put(bytes, sequence);
    put(bytes, static_cast<std::uint64_t>(event.at.time_since_epoch().count()));
    put(bytes, event.actor);
    put(bytes, event.source);
    put(bytes, event.action);
    put(bytes, event.object);
    put(bytes, event.detail);
    put(bytes, event.reason);
    return x509::sha256(bytes);
}

AuditHead signed_head(std::uint64_t sequence, const Digest& hash, const Digest& key) {
    return signed_as(head_format, sequence, hash, key);
}

AuditHead signed_checkpoint(std::uint64_t sequence, const Digest& hash, const Digest& key) {
    return signed_as(checkpoint_format, sequence, hash, key);
}

std::string to_text(const AuditHead& checkpoint) {
    return std::to_string(checkpoint.sequence) + " " + checkpoint.hash.hex() + " " +
           checkpoint.signature.hex();
}

std::optional<AuditHead> parse_checkpoint(std::string_view text) {
    AuditHead checkpoint;
    const char* const end = text.data() + text.size();
    const auto number = std::from_chars(text.data(), end, checkpoint.sequence);
    const std::string_view rest{number.ptr, static_cast<std::size_t>(end - number.ptr)};
    constexpr std::size_t hex = 64;
    if (number.ec != std::errc{} || rest.size() != 2 * (hex + 1) || rest[0] != ' ' ||
        rest[hex + 1] != ' ') {
        return std::nullopt;
    }
    const auto hash = parse_digest(rest.substr(1, hex));
    const auto signature = parse_digest(rest.substr(hex + 2));
    if (!hash || !signature) {
        return std::nullopt;
    }
    checkpoint.hash = *hash;
    checkpoint.signature = *signature;
    return checkpoint;
}

ChainedAudit chain_audit(const AuditHead& head, domain::AuditEvent event, const Digest& key) {
    AuditRecord record{head.sequence + 1, std::move(event), head.hash, {}};
    record.hash = audit_hash(record.sequence, record.event, record.previous);
    AuditHead next = signed_head(record.sequence, record.hash, key);
    return {std::move(record), next};
}

domain::AuditEvent audit_broken(TimePoint now) {
    domain::AuditEvent event;
    event.at = now;
    event.actor = "server";
    event.source = "local";
    event.action = broken_action;
    event.object = "audit";
    event.reason = "the end of the audit log was not signed with this server's key";
    return event;
}

std::optional<AuditFault> ChainWalk::follow(const AuditRecord& record) {
    const std::uint64_t expected = sequence_ + 1;
    if (record.sequence != expected) {
        return AuditFault{expected, "the record is missing; number " +
                                        std::to_string(record.sequence) + " stands in its place"};
    }
    if (record.previous != hash_) {
        return AuditFault{expected, "the record does not follow the one before it"};
    }
    if (record.hash != audit_hash(record.sequence, record.event, record.previous)) {
        return AuditFault{expected, "the record is not what was written"};
    }
    sequence_ = record.sequence;
    hash_ = record.hash;
    return std::nullopt;
}

AuditVerifier::AuditVerifier(const AuditHead& head, const Digest& key,
                             const std::optional<AuditHead>& checkpoint)
    : head_(head) {
    if (checkpoint) {
        begin_ = checkpoint->sequence;
        walk_ = ChainWalk{checkpoint->sequence, checkpoint->hash};
        const AuditHead expected = signed_checkpoint(begin_, checkpoint->hash, key);
        if (!same_signature(expected, *checkpoint)) {
            fault_ = AuditFault{begin_, "the checkpoint is not signed with this server's key"};
        }
    }
    if (!same_signature(signed_head(head.sequence, head.hash, key), head)) {
        fault_ = AuditFault{head.sequence, "the log's end is not signed with this server's key"};
    }
}

bool AuditVerifier::feed(const AuditRecord& record) {
    if (fault_) {
        return false;
    }
    const ChainWalk before = walk_;
    fault_ = walk_.follow(record);
    if (!fault_ && record.event.action == broken_action) {
        fault_ = AuditFault{record.sequence, "the server found the log altered before this record"};
    } else if (!fault_ && record.sequence == head_.sequence && record.hash != head_.hash) {
        fault_ = AuditFault{record.sequence, "the record is not the one that was signed"};
    }
    if (fault_) {
        walk_ = before;
        return false;
    }
    return true;
}

std::optional<AuditFault> AuditVerifier::finish() const {
    if (fault_) {
        return fault_;
    }
    if (walk_.sequence() < head_.sequence) {
        return AuditFault{walk_.sequence() + 1, "the log ends before its signed end"};
    }
    return std::nullopt;
}

Task<Result<std::optional<AuditHead>>> kept_checkpoint(StoreReader& reader) {
    CO_TRY(const auto text, co_await reader.setting(checkpoint_setting));
    std::optional<AuditHead> checkpoint;
    if (text) {
        checkpoint = parse_checkpoint(*text).value_or(AuditHead{});
    }
    co_return checkpoint;
}

namespace {

Task<Result<AuditCheck>> verify_from(StoreReader& reader, const Digest& key,
                                     const std::optional<AuditHead>& checkpoint) {
    // The head first: what is recorded while we read only makes the log longer.
    CO_TRY(const AuditHead head, co_await reader.audit_head());
    AuditVerifier verifier{head, key, checkpoint};
    PageRequest request{{}, limits::page_max};
    while (true) {
        CO_TRY(const auto page, co_await reader.audit(request));
        for (const auto& record : page.items) {
            if (!verifier.feed(record)) {
                break;
            }
        }
        if (page.next.empty()) {
            break;
        }
        request.after = page.next;
    }
    AuditCheck check{verifier.sound(), verifier.finish(), checkpoint};
    co_return check;
}

}  // namespace

Task<Result<AuditCheck>> verify_audit(StoreReader& reader, const Digest& key) {
    while (true) {
        CO_TRY(const auto checkpoint, co_await kept_checkpoint(reader));
        CO_TRY(auto check, co_await verify_from(reader, key, checkpoint));
        CO_TRY(const auto now, co_await kept_checkpoint(reader));
        if (now == checkpoint) {  // else the log was pruned while we read it
            co_return check;
        }
    }
}

}  // namespace rollcall::store
