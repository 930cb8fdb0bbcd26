// SPDX-License-Identifier: Apache-2.0
// A directory that goes with the test.
#pragma once

#include "base/invariant.hpp"

#include <cstdlib>
#include <filesystem>
#include <string>

namespace rollcall::test {

class ScratchDirectory {
public:
    ScratchDirectory() {
        auto pattern = (std::filesystem::temp_directory_path() / "rollcall-XXXXXX").string();
        INVARIANT(mkdtemp(pattern.data()) != nullptr);
        path_ = pattern;
    }
    ~ScratchDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    ScratchDirectory(const ScratchDirectory&) = delete;
    ScratchDirectory& operator=(const ScratchDirectory&) = delete;

    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

}  // namespace rollcall::test
