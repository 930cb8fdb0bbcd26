// SPDX-License-Identifier: Apache-2.0
#include "domain/enrollment.hpp"

namespace rollcall::domain {

std::string_view to_string(Slot slot) {
    return slot == Slot::primary ? "primary" : "secondary";
}

Result<Slot> parse_slot(std::string_view text) {
    for (const Slot slot : both_slots) {
        if (equal_ignoring_case(text, to_string(slot))) {
            return slot;
        }
    }
    return Error{ErrorKind::malformed, "a slot is 'primary' or 'secondary'", "malformed-slot"};
}

std::string_view to_string(AttestationKind kind) {
    return kind == AttestationKind::x509 ? "x509" : "symmetricKey";
}

std::string_view to_string(EntryRef::Kind kind) {
    return kind == EntryRef::Kind::group ? "group" : "individual";
}

EntryRef entry_of(const EnrollmentGroup& group) {
    return {EntryRef::Kind::group, group.id.str(), group.instance};
}

EntryRef entry_of(const IndividualEnrollment& enrollment) {
    return {EntryRef::Kind::individual, enrollment.id.str(), enrollment.instance};
}

}  // namespace rollcall::domain
