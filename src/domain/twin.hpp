// SPDX-License-Identifier: Apache-2.0
// What a hub keeps for a device beside its identity: the twin, messages that wait for it, and what
// it subscribed to (spec/hub-mqtt.md 4.1 to 4.3). Values only; their rules are service/hub's.
#pragma once

#include "base/ids.hpp"
#include "base/world.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace rollcall::domain {

/// Device twin. The three parts are JSON objects as text, without $version and $metadata.
struct Twin {
    DeviceId device;
    std::string tags = "{}";
    std::string desired = "{}";
    std::uint64_t desired_version = 1;
    std::string reported = "{}";
    std::uint64_t reported_version = 1;
    ETag etag{};
    TimePoint updated{};

    bool operator==(const Twin&) const = default;
};

/// What a twin begins with.
struct TwinContents {
    std::string tags = "{}";
    std::string desired = "{}";

    bool operator==(const TwinContents&) const = default;
};

/// The twin is as new, with these contents; its versions go on from what they were, so that a
/// device that knew the old one sees a newer. Makes it where there was none.
struct ResetTwin {
    DeviceId device;
    TwinContents contents;
    ETag etag;
    TimePoint updated{};
};

/// Names and values as they stand in a topic's property bag after percent-decoding: application
/// properties by their own names, system properties with "$." before them ("$.mid", "$.ct").
/// A name without "=" has a null value.
struct MessageProperty {
    std::string name;
    std::string value{};
    bool is_null = false;

    bool operator==(const MessageProperty&) const = default;
};
using MessageProperties = std::vector<MessageProperty>;

/// A message to a device that waits to be completed.
struct DeviceMessage {
    DeviceId device;
    /// Order of delivery; given by the store, never used twice for one device while any waits.
    std::uint64_t number = 0;
    std::string id{};  ///< message id; also among the properties
    MessageProperties properties{};
    std::string body{};
    TimePoint enqueued{};
    TimePoint expires{};

    bool operator==(const DeviceMessage&) const = default;
};

/// What a device with a lasting session (clean session 0) is subscribed to: the granted quality of
/// service by kind of topic, -1 where it is not.
struct Subscriptions {
    int messages = -1;  ///< devices/{id}/messages/devicebound/#
    int twin_answers = -1;
    int desired = -1;
    int methods = -1;

    bool operator==(const Subscriptions&) const = default;
    bool any() const { return *this != Subscriptions{}; }
};

/// What a device sent.
struct Telemetry {
    DeviceId device;
    TimePoint at{};  ///< when the hub took it
    MessageProperties properties{};
    std::string body{};

    bool operator==(const Telemetry&) const = default;
};

}  // namespace rollcall::domain
