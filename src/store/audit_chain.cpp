// SPDX-License-Identifier: Apache-2.0
#include "store/audit_chain.hpp"

#include "base/limits.hpp"
#include "x509/digest.hpp"

namespace rollcall::store {
namespace {

/// Names the serialisation, so that a later one can never be read as this one.
constexpr std::string_view record_format = "rollcall audit record 1";
constexpr std::string_view head_format = "rollcall audit head 1";
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
    Bytes bytes;
    put(bytes, head_format);
    put(bytes, sequence);
    put(bytes, hash);
    return {sequence, hash, x509::hmac_sha256(key.bytes, bytes)};
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

AuditVerifier::AuditVerifier(const AuditHead& head, const Digest& key) : head_(head) {
    const AuditHead expected = signed_head(head.sequence, head.hash, key);
    if (!equal_in_constant_time(expected.signature.bytes, head.signature.bytes)) {
        fault_ = AuditFault{head.sequence, "the log's end is not signed with this server's key"};
    }
}

bool AuditVerifier::feed(const AuditRecord& record) {
    if (fault_) {
        return false;
    }
    const std::uint64_t expected = sequence_ + 1;
    if (record.sequence != expected) {
        fault_ = AuditFault{expected, "the record is missing"};
    } else if (record.previous != hash_) {
        fault_ = AuditFault{expected, "the record does not follow the one before it"};
    } else if (record.hash != audit_hash(record.sequence, record.event, record.previous)) {
        fault_ = AuditFault{expected, "the record is not what was written"};
    } else if (record.event.action == broken_action) {
        fault_ = AuditFault{expected, "the server found the log altered before this record"};
    } else if (record.sequence == head_.sequence && record.hash != head_.hash) {
        fault_ = AuditFault{expected, "the record is not the one that was signed"};
    }
    if (fault_) {
        return false;
    }
    sequence_ = record.sequence;
    hash_ = record.hash;
    return true;
}

std::optional<AuditFault> AuditVerifier::finish() const {
    if (fault_) {
        return fault_;
    }
    if (sequence_ < head_.sequence) {
        return AuditFault{sequence_ + 1, "the log ends before its signed end"};
    }
    return std::nullopt;
}

Task<Result<AuditCheck>> verify_audit(StoreReader& reader, const Digest& key) {
    // The head first: what is recorded while we read only makes the log longer.
    CO_TRY(const AuditHead head, co_await reader.audit_head());
    AuditVerifier verifier{head, key};
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
    AuditCheck check{verifier.sound(), verifier.finish()};
    co_return check;
}

}  // namespace rollcall::store
