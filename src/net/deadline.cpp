// SPDX-License-Identifier: Apache-2.0
#include "net/deadline.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace rollcall::net {

using SteadyTime = asio::steady_timer::time_point;

/// Shared with the waiting timer, which may be called once more after the Deadline has gone.
struct Deadline::State : std::enable_shared_from_this<State> {
    State(Core& core, Stream& watched) : timer(core.context()), stream(&watched) {}

    void wait_until(SteadyTime at) {
        fires_at = at;
        timer.expires_at(at);
        timer.async_wait([self = shared_from_this()](const boost::system::error_code& aborted) {
            if (!aborted && self->stream != nullptr) {
                self->fired();
            }
        });
    }

    void fired() {
        fires_at = SteadyTime::max();
        if (due == SteadyTime::max()) {
            return;
        }
        if (due > asio::steady_timer::clock_type::now()) {
            wait_until(due);
            return;
        }
        due = SteadyTime::max();
        passed = true;
        if (then == Then::close) {
            stream->close();
        } else {
            stream->interrupt_read();
        }
    }

    asio::steady_timer timer;
    Stream* stream;
    SteadyTime due = SteadyTime::max();       ///< what was asked for; max: nothing
    SteadyTime fires_at = SteadyTime::max();  ///< what the timer waits for; max: it does not
    Then then = Then::close;
    bool passed = false;
};

Deadline::Deadline(Core& core, Stream& stream) : state_(std::make_shared<State>(core, stream)) {}

Deadline::~Deadline() {
    state_->stream = nullptr;
    state_->timer.cancel();
}

void Deadline::arm(std::chrono::milliseconds in, Then then) {
    state_->due = asio::steady_timer::clock_type::now() + in;
    state_->then = then;
    state_->passed = false;
    if (state_->due < state_->fires_at) {
        state_->wait_until(state_->due);
    }
}

void Deadline::disarm() {
    state_->due = SteadyTime::max();
}

bool Deadline::passed() const {
    return state_->passed;
}

}  // namespace rollcall::net
