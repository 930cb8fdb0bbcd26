// SPDX-License-Identifier: Apache-2.0
// Asking a filter; reading one: device_query_parser.cpp.
#include "domain/device_query.hpp"

#include "base/invariant.hpp"

#include <algorithm>

namespace rollcall::domain {

bool DeviceQuery::asks_for_properties() const {
    return std::any_of(steps_.begin(), steps_.end(), [](const Step& step) {
        return step.op < Operator::negate && step.field.kind == QueryField::Kind::property;
    });
}

DeviceQuery::Truth DeviceQuery::compare(Operator op, const QueryValue& left,
                                        const QueryValue& right) {
    const auto truth = [](bool is) { return is ? Truth::yes : Truth::no; };
    if (left.index() != right.index()) {
        return Truth::unknown;
    }
    switch (op) {
        case Operator::equal: return truth(left == right);
        case Operator::not_equal: return truth(left != right);
        default: break;
    }
    if (std::holds_alternative<bool>(left)) {
        return Truth::unknown;  // false is not less than true
    }
    switch (op) {
        case Operator::less: return truth(left < right);
        case Operator::less_or_equal: return truth(left <= right);
        case Operator::greater: return truth(left > right);
        case Operator::greater_or_equal: return truth(left >= right);
        default: break;
    }
    const auto* const text = std::get_if<std::string>(&left);
    if (text == nullptr) {
        return Truth::unknown;
    }
    const auto& part = std::get<std::string>(right);
    switch (op) {
        case Operator::starts_with: return truth(text->starts_with(part));
        case Operator::ends_with: return truth(text->ends_with(part));
        case Operator::contains: return truth(text->find(part) != std::string::npos);
        default: return Truth::unknown;
    }
}

DeviceQuery::Truth DeviceQuery::judge(const Step& step, const QueryValue& value) {
    const bool there = !std::holds_alternative<std::monostate>(value);
    if (step.op == Operator::defined) {
        return there ? Truth::yes : Truth::no;
    }
    if (!there) {
        return Truth::unknown;
    }
    if (step.op != Operator::one_of) {
        return compare(step.op, value, step.values.front());
    }
    return std::find(step.values.begin(), step.values.end(), value) != step.values.end()
               ? Truth::yes
               : Truth::no;
}

/// Kleene's logic of three values: AND is the smaller, OR the greater of two.
bool DeviceQuery::matches(const Lookup& lookup) const {
    if (steps_.empty()) {
        return true;
    }
    std::vector<Truth> stack;
    const auto pop = [&stack] {
        INVARIANT(!stack.empty());
        const Truth top = stack.back();
        stack.pop_back();
        return top;
    };
    for (const Step& step : steps_) {
        switch (step.op) {
            case Operator::negate: {
                const Truth one = pop();
                stack.push_back(one == Truth::yes  ? Truth::no
                                : one == Truth::no ? Truth::yes
                                                   : Truth::unknown);
                break;
            }
            case Operator::both: {
                const Truth right = pop();
                stack.push_back(std::min(pop(), right));
                break;
            }
            case Operator::either: {
                const Truth right = pop();
                stack.push_back(std::max(pop(), right));
                break;
            }
            default: stack.push_back(judge(step, lookup(step.field)));
        }
    }
    INVARIANT(stack.size() == 1);
    return stack.front() == Truth::yes;
}

}  // namespace rollcall::domain
