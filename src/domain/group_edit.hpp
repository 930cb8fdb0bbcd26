// SPDX-License-Identifier: Apache-2.0
// GroupEdit: a group whose slots are being changed, for slots.cpp and entry_put.cpp. Collects what
// is put, what loses its last reference and what is withdrawn, and turns it into one SlotOutcome.
#pragma once

#include "domain/entry_put.hpp"
#include "domain/slots.hpp"

#include <array>
#include <vector>

namespace rollcall::domain {

class GroupEdit {
public:
    /// `edited`: `before`, or what became of it beside its slots. All outlive it.
    GroupEdit(const TrustView& trust, const EnrollmentGroup& before, const EnrollmentGroup& edited,
              const Writing& writing)
        : trust_(trust), before_(before), group_(edited), writing_(writing) {}

    Result<Done> put(Slot slot, const x509::Certificate& certificate, Replacement replacement,
                     bool vouch, bool force);
    Result<Done> remove(Slot slot, Removal removal, bool pending_only);
    Result<Done> swap();
    /// Both slots as they shall be (entry_put.hpp).
    Result<Done> arrange(const SlotWishes& wishes);
    SlotOutcome finish();

private:
    Result<Done> examine(const x509::Certificate& certificate, bool force);
    Result<Done> check_free(const x509::Certificate& certificate) const;
    Result<Done> refer(Slot slot, const CaReference& reference);
    Replacement in_time(const CaCertificate& record) const;
    void settle(Slot slot, const CaCertificate& record, Replacement replacement);
    CaCertificate& record_for(const x509::Certificate& certificate, Slot slot, bool vouch);
    CaCertificate* find(const CaId& id);
    void withdraw(const CaCertificate& ca, bool breach);

    const TrustView& trust_;
    const EnrollmentGroup& before_;
    EnrollmentGroup group_;
    const Writing& writing_;
    /// Records made or changed here; they shadow the view's.
    std::vector<CaCertificate> records_;
    std::vector<Distrusted> distrusted_;
    SlotOutcome outcome_;
};

/// Unnamed CA records go with the last slot that refers to them. A verified one that goes can end
/// paths of other groups that led through it.
void collect_garbage(const TrustView& trust, const EnrollmentGroup& before,
                     const EnrollmentGroup& after, SlotOutcome& outcome);
/// Another version of the group: its trust may have changed.
void bump(EnrollmentGroup& group, const Writing& writing);

}  // namespace rollcall::domain
