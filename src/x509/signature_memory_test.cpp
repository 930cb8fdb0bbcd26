// SPDX-License-Identifier: Apache-2.0
#include "x509/digest.hpp"
#include "x509/path.hpp"

#include <thread>

#include <gtest/gtest.h>

namespace rollcall::x509 {
namespace {

Digest number(int value) {
    return sha256(as_bytes(std::to_string(value)));
}

TEST(SignatureMemory, KnowsPairsNotHalves) {
    SignatureMemory memory;
    memory.remember(number(1), number(2));
    EXPECT_TRUE(memory.knows(number(1), number(2)));
    EXPECT_FALSE(memory.knows(number(1), number(1)));
    EXPECT_FALSE(memory.knows(number(2), number(2)));
    EXPECT_FALSE(memory.knows(number(2), number(1)));
}

TEST(SignatureMemory, ForgetsTheOldestHalfAtItsBound) {
    SignatureMemory memory{8};
    for (int i = 0; i < 8; ++i) {
        memory.remember(number(i), number(0));
    }
    EXPECT_TRUE(memory.knows(number(0), number(0))) << "at the bound";
    memory.remember(number(8), number(0));
    EXPECT_FALSE(memory.knows(number(0), number(0))) << "past it";
    EXPECT_TRUE(memory.knows(number(4), number(0)));
    EXPECT_TRUE(memory.knows(number(8), number(0)));
}

TEST(SignatureMemory, IsSharedByThreads) {
    SignatureMemory memory{64};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&memory, t] {
            for (int i = 0; i < 500; ++i) {
                memory.remember(number(i), number(t));
                memory.knows(number(i / 2), number(t));
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    EXPECT_TRUE(memory.knows(number(499), number(3)) || memory.knows(number(499), number(0)) ||
                memory.knows(number(499), number(1)) || memory.knows(number(499), number(2)));
}

}  // namespace
}  // namespace rollcall::x509
