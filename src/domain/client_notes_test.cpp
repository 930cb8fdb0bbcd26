// SPDX-License-Identifier: Apache-2.0
#include "domain/client_notes.hpp"

#include <gtest/gtest.h>

namespace rollcall::domain {
namespace {

TEST(ClientNotes, GoIntoOneTextAndBack) {
    const std::vector<std::pair<ClientNotes, std::string>> cases{
        {{}, ""},
        {{"{\"a\":\"b\\nc\"}"}, "\n{\"a\":\"b\\nc\"}"},
        {{"", true}, "E\n"},
        {{"", false}, "e\n"},
        {{"{}", false, true, true, true}, "esri\n{}"},
        {{"{}", true, false, false, false, "a:1\n2"}, "En\n5:a:1\n2{}"},
        {{"", {}, false, false, false, "Linie 4"}, "n\n7:Linie 4"},
    };
    for (const auto& [notes, text] : cases) {
        EXPECT_EQ(to_text(notes), text);
        EXPECT_EQ(parse_client_notes(text).value(), notes);
    }
}

TEST(ClientNotes, OfOthersAreRefused) {
    for (const std::string text : {"E", "x\n", "E e\n", "n\n", "n\n3:ab", "n\n3ab",
                                   "n\n0:", "n\n-1:a", "n\n99999999999999999999:a", "n\n3"}) {
        EXPECT_EQ(parse_client_notes(text).error().reason, "malformed-notes") << text;
    }
}

}  // namespace
}  // namespace rollcall::domain
