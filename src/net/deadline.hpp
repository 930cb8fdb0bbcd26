// SPDX-License-Identifier: Apache-2.0
// Deadline: the one timer of a session. It acts on the session's stream instead of racing every
// read against a timer. Moving it to a later time costs a store, no timer operation: the timer
// that fires early looks at the new time and waits on.
#pragma once

#include "net/runtime.hpp"
#include "net/stream.hpp"

#include <chrono>
#include <memory>

namespace rollcall::net {

class Deadline {
public:
    /// What happens to the stream when the time has come.
    enum class Then {
        interrupt_read,  ///< the reader gets a deadline error and may still answer
        close,           ///< everything ends
    };

    Deadline(Core& core, Stream& stream);
    ~Deadline();
    Deadline(const Deadline&) = delete;
    Deadline& operator=(const Deadline&) = delete;

    /// From now on; replaces what was armed before.
    void arm(std::chrono::milliseconds in, Then then);
    void disarm();
    /// Has the time come that was armed last?
    bool passed() const;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace rollcall::net
