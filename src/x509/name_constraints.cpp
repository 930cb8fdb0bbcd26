// SPDX-License-Identifier: Apache-2.0
#include "x509/name_constraints.hpp"

#include "base/bytes.hpp"
#include "x509/parsed.hpp"

#include <algorithm>
#include <span>
#include <string_view>
#include <vector>

namespace rollcall::x509 {
namespace {

enum class Match { yes, no, unreadable };

/// The side a subtree stands on decides how a wildcard name is read against it.
enum class Side { permitted, excluded };

/// Host name labels of letters, digits, '-' and '_', none empty; `first_may_be_star` for SANs.
bool is_host(std::string_view text, bool first_may_be_star) {
    if (text.empty()) {
        return false;
    }
    bool first = true;
    while (true) {
        const std::size_t dot = text.find('.');
        const std::string_view label = text.substr(0, dot);
        const bool star = first && first_may_be_star && label == "*";
        const bool plain = !label.empty() && std::all_of(label.begin(), label.end(), [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        });
        if (!star && !plain) {
            return false;
        }
        if (dot == std::string_view::npos) {
            return true;
        }
        text.remove_prefix(dot + 1);
        first = false;
    }
}

/// `host` is `domain` or lies under it, label by label.
bool is_within(std::string_view host, std::string_view domain) {
    return host == domain || (host.size() > domain.size() && host.ends_with(domain) &&
                              host[host.size() - domain.size() - 1] == '.');
}

/// The commonest reading of a leading period: hosts under it, not the host itself.
bool is_below(std::string_view host, std::string_view dotted_domain) {
    return host.size() > dotted_domain.size() && host.ends_with(dotted_domain);
}

Match match_dns(std::string_view raw_name, std::string_view raw_subtree, Side side) {
    const std::string name = to_lower_ascii(raw_name);
    const std::string subtree = to_lower_ascii(raw_subtree);
    if (!is_host(name, true)) {
        return Match::unreadable;
    }
    if (subtree.empty()) {
        return Match::yes;
    }
    if (subtree.front() == '.') {
        if (!is_host(std::string_view{subtree}.substr(1), false)) {
            return Match::unreadable;
        }
        return is_below(name, subtree) ? Match::yes : Match::no;
    }
    if (!is_host(subtree, false)) {
        return Match::unreadable;
    }
    if (is_within(name, subtree)) {
        return Match::yes;
    }
    // "*.example.com" can stand for an excluded "foo.example.com" (CVE-2025-61727).
    const bool star = side == Side::excluded && name.starts_with("*.");
    return star && is_within(subtree, std::string_view{name}.substr(2)) ? Match::yes : Match::no;
}

/// A mailbox as RFC 5280 writes it: one '@', something on both sides.
std::optional<std::pair<std::string_view, std::string>> split_mailbox(std::string_view text) {
    const std::size_t at = text.find('@');
    if (at == 0 || at == text.npos || text.find('@', at + 1) != text.npos) {
        return std::nullopt;
    }
    std::string host = to_lower_ascii(text.substr(at + 1));
    if (!is_host(host, false)) {
        return std::nullopt;
    }
    return std::pair{text.substr(0, at), std::move(host)};
}

Match match_host(const std::string& host, std::string_view raw_subtree) {
    const std::string subtree = to_lower_ascii(raw_subtree);
    if (subtree.empty()) {
        return Match::yes;
    }
    const bool below_only = subtree.front() == '.';
    if (!is_host(std::string_view{subtree}.substr(below_only ? 1 : 0), false)) {
        return Match::unreadable;
    }
    const bool matches = below_only ? is_below(host, subtree) : host == subtree;
    return matches ? Match::yes : Match::no;
}

Match match_email(std::string_view name, std::string_view subtree) {
    const auto mailbox = split_mailbox(name);
    if (!mailbox) {
        return Match::unreadable;
    }
    if (subtree.find('@') == subtree.npos) {
        return match_host(mailbox->second, subtree);
    }
    const auto wanted = split_mailbox(subtree);
    if (!wanted) {
        return Match::unreadable;
    }
    // The local part has case (RFC 5321 section 2.4); the host has none.
    return *mailbox == *wanted ? Match::yes : Match::no;
}

/// The host of "scheme://user@host:port/..."; none where there is none or it is an address, to
/// which URI constraints cannot be applied.
std::optional<std::string> host_of_uri(std::string_view uri) {
    const std::size_t slashes = uri.find("://");
    if (slashes == uri.npos) {
        return std::nullopt;
    }
    std::string_view authority = uri.substr(slashes + 3);
    authority = authority.substr(0, authority.find_first_of("/?#"));
    if (const std::size_t at = authority.rfind('@'); at != authority.npos) {
        authority.remove_prefix(at + 1);
    }
    std::string host = to_lower_ascii(authority.substr(0, authority.find(':')));
    const bool address = host.find_first_not_of("0123456789.") == host.npos;
    if (address || !is_host(host, false)) {
        return std::nullopt;
    }
    return host;
}

Match match_uri(std::string_view name, std::string_view subtree) {
    const auto host = host_of_uri(name);
    return host ? match_host(*host, subtree) : Match::unreadable;
}

bool is_contiguous(std::string_view mask) {
    bool ended = false;
    for (const char c : mask) {
        for (int bit = 7; bit >= 0; --bit) {
            const bool set = ((static_cast<unsigned char>(c) >> bit) & 1) != 0;
            if (set && ended) {
                return false;
            }
            ended = ended || !set;
        }
    }
    return true;
}

/// RFC 5280 section 4.2.1.10: address and mask, 8 octets for IPv4 and 32 for IPv6.
Match match_ip(std::string_view name, std::string_view subtree) {
    const bool name_fits = name.size() == 4 || name.size() == 16;
    const bool subtree_fits = subtree.size() == 8 || subtree.size() == 32;
    if (!name_fits || !subtree_fits) {
        return Match::unreadable;
    }
    const std::size_t size = subtree.size() / 2;
    const std::string_view mask = subtree.substr(size);
    if (!is_contiguous(mask)) {
        return Match::unreadable;
    }
    if (name.size() != size) {
        return Match::no;
    }
    for (std::size_t i = 0; i < size; ++i) {
        if (((name[i] ^ subtree[i]) & mask[i]) != 0) {
            return Match::no;
        }
    }
    return Match::yes;
}

Match match(const GeneralName& name, const GeneralName& subtree, Side side) {
    switch (subtree.form) {
        case NameForm::dns: return match_dns(name.value, subtree.value, side);
        case NameForm::email: return match_email(name.value, subtree.value);
        case NameForm::uri: return match_uri(name.value, subtree.value);
        case NameForm::ip: return match_ip(name.value, subtree.value);
        case NameForm::directory:
            return name.value.starts_with(subtree.value) ? Match::yes : Match::no;
        case NameForm::other:
            // "must either process the constraint or reject the certificate"
            return Match::unreadable;
    }
    return Match::unreadable;
}

bool same_form(const GeneralName& name, const GeneralName& subtree) {
    return name.form == subtree.form && (name.form != NameForm::other || name.kind == subtree.kind);
}

/// Names are IA5 text by their type only; what else is in them must not reach a terminal or a log.
std::string printable(std::string text) {
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    return text;
}

std::string shown(const GeneralName& name, const Certificate& certificate) {
    switch (name.form) {
        case NameForm::directory: return "its name '" + certificate.subject() + "'";
        case NameForm::ip: return "its IP address " + to_hex(as_bytes(name.value));
        case NameForm::other: return "its " + name.kind;
        default: return "its " + name.kind + " name '" + printable(name.value) + "'";
    }
}

/// All names the constraints apply to: subject, its e-mail addresses, subjectAltName.
std::vector<GeneralName> names_of(const Certificate& certificate) {
    const auto& parsed = certificate.parsed();
    std::vector<GeneralName> names;
    if (!parsed.subject_normalised.empty()) {
        names.push_back({NameForm::directory, parsed.subject_normalised, "directory"});
    }
    for (const auto& email : parsed.subject_emails) {
        names.push_back({NameForm::email, email, "email"});
    }
    const auto& others = parsed.extensions.subject_alt_names;
    names.insert(names.end(), others.begin(), others.end());
    return names;
}

}  // namespace

const std::string* NameChecker::violation(const Certificate& issuer,
                                          const Certificate& certificate) {
    if (!issuer.parsed().extensions.name_constraints) {
        return nullptr;
    }
    const Pair pair{&issuer.parsed(), &certificate.parsed()};
    auto found = judged_.find(pair);
    if (found == judged_.end()) {
        found = judged_.emplace(pair, find_violation(issuer, certificate)).first;
    }
    return found->second ? &*found->second : nullptr;
}

std::optional<std::string> NameChecker::find_violation(const Certificate& issuer,
                                                       const Certificate& certificate) {
    const NameConstraints& constraints = *issuer.parsed().extensions.name_constraints;
    const std::vector<GeneralName> names = names_of(certificate);
    const std::size_t comparisons =
        names.size() * (constraints.permitted.size() + constraints.excluded.size());
    if (comparisons > comparisons_left_) {
        exhausted_ = true;
        return std::to_string(comparisons) + " comparisons of its names with the constraints of '" +
               issuer.subject() + "' would be needed, which is past the bound";
    }
    comparisons_left_ -= comparisons;
    for (const auto& name : names) {
        for (const auto& subtree : constraints.excluded) {
            if (same_form(name, subtree) && match(name, subtree, Side::excluded) != Match::no) {
                return shown(name, certificate) + " is excluded by the name constraints of '" +
                       issuer.subject() + "'";
            }
        }
        bool constrained = false;
        bool permitted = false;
        bool unreadable = false;
        for (const auto& subtree : constraints.permitted) {
            if (same_form(name, subtree)) {
                const Match result = match(name, subtree, Side::permitted);
                constrained = true;
                permitted = permitted || result == Match::yes;
                unreadable = unreadable || result == Match::unreadable;
            }
        }
        if (constrained && (!permitted || unreadable)) {
            return shown(name, certificate) + " is not among what the name constraints of '" +
                   issuer.subject() + "' permit";
        }
    }
    return std::nullopt;
}

}  // namespace rollcall::x509
