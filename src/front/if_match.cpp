// SPDX-License-Identifier: Apache-2.0
#include "front/if_match.hpp"

#include "base/bytes.hpp"

#include <algorithm>

namespace rollcall::front {

service::EtagCondition read_if_match(const net::HttpRequest& request) {
    service::EtagCondition condition;
    for (const auto& [name, value] : request.headers) {
        if (!equal_ignoring_case(name, "if-match")) {
            continue;
        }
        std::string_view rest = value;
        while (!rest.empty()) {
            auto tag = rest.substr(0, rest.find(','));
            rest.remove_prefix(std::min(tag.size() + 1, rest.size()));
            const auto begin = tag.find_first_not_of(" \t");
            tag = begin == std::string_view::npos ? std::string_view{} : tag.substr(begin);
            tag = tag.substr(0, tag.find_last_not_of(" \t") + 1);
            if (tag.size() >= 2 && tag.starts_with('"') && tag.ends_with('"')) {
                tag = tag.substr(1, tag.size() - 2);
            }
            condition.one_of.emplace_back(tag);
        }
        if (condition.one_of.empty()) {
            condition.one_of.emplace_back();  // an empty header matches nothing
        }
    }
    return condition;
}

}  // namespace rollcall::front
