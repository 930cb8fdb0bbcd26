// SPDX-License-Identifier: Apache-2.0
#include "x509/path_checks.hpp"

#include "x509/certificate_checks.hpp"
#include "x509/parsed.hpp"
#include "x509/policy_state.hpp"
#include "x509/revocation.hpp"

#include <algorithm>

namespace rollcall::x509 {
namespace {

/// The state of RFC 5280 section 6.1.2 while the path is walked from the anchor down.
class Validation {
public:
    Validation(PathView path, bool anchored, Tools& tools)
        : path_(path),
          anchored_(anchored),
          tools_(tools),
          policies_(path.size() - (anchored ? 1 : 0)),
          findings_(path.size()) {}

    PathFindings run() {
        initialize();
        for (std::size_t i = path_.size(); i-- > 0;) {
            if (anchored_ && i + 1 == path_.size()) {
                continue;
            }
            basic_processing(i);
            if (i > 0) {
                prepare_for_next(i);
            }
        }
        wrap_up();
        return std::move(findings_);
    }

private:
    Role role(std::size_t i) const {
        if (i == 0) {
            return Role::end_entity;
        }
        return anchored_ && i + 1 == path_.size() ? Role::anchor : Role::intermediate;
    }

    void add(std::size_t i, Fault fault, std::string detail, std::string fix) {
        findings_[i].push_back({fault, Gravity::fatal, std::move(detail), std::move(fix)});
    }

    /// 6.1.2, and what the anchor itself must be (PRODUCT section 3.7; RFC 5937 for what its
    /// certificate constrains).
    void initialize() {
        if (!anchored_) {
            return;
        }
        const std::size_t top = path_.size() - 1;
        findings_[top] = check_certificate(*path_[top], Role::anchor, tools_.rules);
        policies_.begin_with_anchor(*path_[top]);
    }

    /// 6.1.3.
    void basic_processing(std::size_t i) {
        auto own = check_certificate(*path_[i], role(i), tools_.rules);
        auto& findings = findings_[i];
        findings.insert(findings.end(), own.begin(), own.end());
        if (i + 1 < path_.size()) {
            verify_signature(i);
        } else if (is_self_signed(i)) {
            // A root that nobody enrolled: its own signature proves nothing, however it was made.
            std::erase_if(findings, [](const Finding& finding) {
                return finding.fault == Fault::weak_signature;
            });
        }
        if (anchored_ && tools_.revocation != nullptr) {
            if (auto finding = tools_.revocation->check(path_, i)) {
                findings.push_back(*std::move(finding));
            }
        }
        verify_names(i);
        if (!policies_.process(*path_[i], i == 0)) {
            refuse_policies(i);
        }
    }

    bool is_self_signed(std::size_t i) {
        return path_[i]->self_issued() && tools_.signatures.check(*path_[i], *path_[i], i > 0) ==
                                              SignatureChecker::Outcome::good;
    }

    /// 6.1.3 (a)(1). A search has checked every signature of a whole path before it comes here; in
    /// an attempt the budget may end, of which the search tells.
    void verify_signature(std::size_t i) {
        const auto outcome = tools_.signatures.check(*path_[i], *path_[i + 1], i > 0);
        if (outcome == SignatureChecker::Outcome::unaffordable && anchored_) {
            add(i, Fault::budget_spent, "carries a signature that no check was left for",
                "send only the certificates of one path");
        }
        if (outcome == SignatureChecker::Outcome::bad) {
            add(i, Fault::signature_mismatch,
                "carries a signature that the key of '" + path_[i + 1]->subject() +
                    "' does not verify",
                "issue it again; it was changed after it was signed, or signed by another key");
        }
    }

    /// 6.1.3 (b) and (c), for the constraints of every issuer above.
    void verify_names(std::size_t i) {
        if (i > 0 && path_[i]->self_issued()) {
            return;
        }
        for (std::size_t above = i + 1; above < path_.size(); ++above) {
            if (const auto* violation = tools_.names.violation(*path_[above], *path_[i])) {
                add(i, Fault::name_constraint, *violation,
                    "issue it under a name that the constraints allow, or under another CA");
            }
        }
    }

    /// 6.1.4: (l) and (m) in the form "how many stand below".
    void prepare_for_next(std::size_t i) {
        policies_.prepare_for_next(*path_[i]);
        check_path_length(i);
    }

    void check_path_length(std::size_t i) {
        const auto& constraints = path_[i]->parsed().extensions.basic_constraints;
        if (!constraints || !constraints->path_length) {
            return;
        }
        const std::size_t below = counted_intermediates(path_.first(i));
        if (below > *constraints->path_length) {
            add(i, Fault::path_too_long,
                "allows " + std::to_string(*constraints->path_length) +
                    " CAs below it (pathLenConstraint), and there are " + std::to_string(below),
                "leave out a level of CAs, or renew this one with a larger pathLenConstraint");
        }
    }

    /// 6.1.5, and the caller's own bound on intermediates.
    void wrap_up() {
        if (anchored_) {
            check_path_length(path_.size() - 1);
        }
        if (!policies_.wrap_up(*path_[0])) {
            refuse_policies(0);
        }
        const std::size_t below_top = path_.size() - (anchored_ ? 1 : 0);
        const std::size_t count = counted_intermediates(path_.first(below_top));
        if (tools_.rules.intermediates_max && count > *tools_.rules.intermediates_max) {
            add(0, Fault::path_too_long,
                "needs " + std::to_string(count) + " intermediates, and " +
                    std::to_string(*tools_.rules.intermediates_max) + " are allowed",
                "issue it nearer to the anchor, or allow more");
        }
    }

    void refuse_policies(std::size_t i) {
        const auto& held = findings_[i];
        if (std::none_of(held.begin(), held.end(),
                         [](const Finding& finding) { return finding.fault == Fault::policy; })) {
            add(i, Fault::policy,
                "has no certificate policy that the CAs above require (requireExplicitPolicy)",
                "issue it with a policy that its CAs allow");
        }
    }

    PathView path_;
    bool anchored_;
    Tools& tools_;
    PolicyState policies_;
    PathFindings findings_;
};

}  // namespace

PathFindings check_path(PathView path, bool anchored, Tools& tools) {
    return Validation{path, anchored, tools}.run();
}

bool has_fatal(const PathFindings& findings) {
    return std::any_of(findings.begin(), findings.end(),
                       [](const auto& of_one) { return has_fatal(of_one); });
}

bool fits_under(PathView below, const Certificate& issuer, Tools& tools) {
    const auto& constraints = issuer.parsed().extensions.basic_constraints;
    if (constraints && constraints->path_length &&
        counted_intermediates(below) > *constraints->path_length) {
        return false;
    }
    if (!issuer.parsed().extensions.name_constraints) {
        return true;
    }
    for (std::size_t i = 0; i < below.size(); ++i) {
        const bool exempt = i > 0 && below[i]->self_issued();
        if (!exempt && tools.names.violation(issuer, *below[i]) != nullptr) {
            return false;
        }
    }
    return true;
}

std::size_t counted_intermediates(PathView path) {
    return path.size() < 2 ? 0
                           : static_cast<std::size_t>(std::count_if(
                                 path.begin() + 1, path.end(),
                                 [](const Certificate* c) { return !c->self_issued(); }));
}

}  // namespace rollcall::x509
