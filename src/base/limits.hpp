// SPDX-License-Identifier: Apache-2.0
// Every bound of the program, with its reason. An answer that meets one says which.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace rollcall::limits {

using namespace std::chrono_literals;

// --- What a device or a file may bring (PRODUCT section 3.7) ---
/// Certificates a device may send; deeper hierarchies have not been met in the field.
inline constexpr std::size_t peer_certificates_max = 32;
/// Bytes of all certificates a device sends together.
inline constexpr std::size_t peer_chain_bytes_max = 64 * 1024;
/// Certificates in one chain of `pki verify`; public suites go this far.
inline constexpr std::size_t pki_verify_certificates_max = 256;
/// Trust anchors of `pki verify`: they are the operator's own, and cost little each.
inline constexpr std::size_t pki_verify_anchors_max = 10'000;
/// One input file of `pki verify`: a chain of the largest certificates in PEM, or all the anchors.
inline constexpr std::size_t pki_verify_file_bytes_max = 16 * 1024 * 1024;
/// One line of a batch: a few such files at once would be odd, many small ones are not.
inline constexpr std::size_t pki_verify_line_bytes_max = 32 * 1024 * 1024;
/// One certificate; RSA-16384 with many names stays under it.
inline constexpr std::size_t certificate_bytes_max = 32 * 1024;
/// One uploaded certificate file, text around PEM blocks included.
inline constexpr std::size_t certificate_file_bytes_max = 256 * 1024;
/// One private key file; RSA-16384 with its certificate chain stays under it.
inline constexpr std::size_t private_key_file_bytes_max = 256 * 1024;
/// pathLenConstraint that `rollcall pki` writes; more than any path has.
inline constexpr int pki_path_length_max = 1'000;
/// Leaves of one `rollcall pki leaf --count`: a fleet, and not a disk full by a slip.
inline constexpr std::int64_t pki_leaves_max = 1'000'000;

// --- Path building (PRODUCT section 3.8) ---
/// Signature checks one search may spend in all before it gives up with a verdict that says so.
inline constexpr std::size_t path_signatures_max = 64;
/// Signature checks a search may spend on a session's core; more wants a lane.
inline constexpr std::size_t path_signatures_on_core = 8;
/// Certificates in a path, end entity and anchor included.
inline constexpr std::size_t path_length_max = 32;
/// Nodes (certificate placed in a path) one search may visit, cheap ones included.
inline constexpr std::size_t path_steps_max = 4096;
/// Name constraint comparisons (names times subtrees) in one path.
inline constexpr std::size_t name_comparisons_max = 65'536;
/// Certificates one search looks at as possible issuers; beyond it the least promising are left
/// out.
inline constexpr std::size_t path_candidates_max = 1'024;
/// Signature checks `pki verify` may spend: an operator's own processor, and public suites have
/// meshes of cross-certificates.
inline constexpr std::size_t pki_verify_signatures_max = 512;
/// One certificate revocation list, and how many of them, that `pki verify` takes.
inline constexpr std::size_t crl_bytes_max = 1024 * 1024;
inline constexpr std::size_t crls_max = 64;
/// Searches within searches, for the signers of CRLs.
inline constexpr std::size_t crl_signer_depth_max = 3;
/// Intermediates remembered from valid paths, for completion (PRODUCT section 3.5).
inline constexpr std::size_t seen_intermediates_max = 1'000;

// --- Symmetric keys and their tokens ---
/// A key an operator gives, decoded: what the cloud takes, and what it makes up itself.
inline constexpr std::size_t symmetric_key_bytes_min = 16;
inline constexpr std::size_t symmetric_key_bytes_max = 64;
/// A shared access signature: host name, device id with every character escaped, and the rest.
inline constexpr std::size_t sas_bytes_max = 2 * 1024;
/// A session lasts no longer on one token, whatever end that names.
inline constexpr auto token_session_time_max = std::chrono::hours{365 * 24};
/// Groups that attest by key (the cloud's bound too): a newcomer's token names none of them, so
/// that it is tried against each.
inline constexpr std::size_t symmetric_key_groups_max = 100;

// --- Names ---
inline constexpr std::size_t registration_id_chars_max = 128;
inline constexpr std::size_t device_id_chars_max = 128;
inline constexpr std::size_t group_id_chars_max = 128;
inline constexpr std::size_t ca_name_chars_max = 128;

// --- HTTP ---
/// Request line and all header fields together.
inline constexpr std::size_t http_header_bytes_max = 16 * 1024;
/// A device's body: the documented message bound of DPS (96 KB).
inline constexpr std::size_t device_body_bytes_max = 96 * 1024;
/// An operator's body: a few certificate files.
inline constexpr std::size_t operator_body_bytes_max = 1024 * 1024;
inline constexpr std::size_t json_depth_max = 32;
/// Of a device's User-Agent, for the adoption record; longer ones are cut.
inline constexpr std::size_t user_agent_chars_max = 256;

// --- WebSocket ---
/// One message: an MQTT packet of 256 KiB with its topic, and as much again for clients that put
/// several into one. It is passed on as it comes, so it costs no memory.
inline constexpr std::size_t websocket_message_bytes_max = 512 * 1024;
/// Subprotocols looked at in one handshake; clients offer one or two.
inline constexpr std::size_t websocket_subprotocols_max = 16;

// --- Time on a door ---
/// From accept to the end of the handshake.
inline constexpr auto handshake_time_max = 20s;
/// From the first byte of a request to its last.
inline constexpr auto request_time_max = 20s;
/// Between requests on a kept connection.
inline constexpr auto idle_time_max = 60s;
/// To write one answer to a peer that reads slowly.
inline constexpr auto answer_time_max = 20s;

// --- MQTT ---
/// CONNECT: client id, user name, a SAS password, a will.
inline constexpr std::size_t mqtt_connect_bytes_max = 16 * 1024;
/// The hub's bound for a message (256 KB) with its topic.
inline constexpr std::size_t mqtt_packet_bytes_max = 256 * 1024 + 8 * 1024;
/// Sent at least once and not acknowledged, of one session; real clients keep up with 10 to 100.
inline constexpr std::size_t mqtt_unacknowledged_max = 32;
/// What waits for a client that does not read: a queue full of the largest messages to a device.
inline constexpr std::size_t mqtt_outgoing_bytes_max = 4 * 1024 * 1024;
/// PUBLISHes that came together and are handed over together; the answers to as many questions for
/// the largest twin fit what may wait.
inline constexpr std::size_t mqtt_batch_max = 32;
/// Longer keep-alives, and none, count as this (hub-mqtt.md 4.1: 1.5 times it is the longest
/// silence).
inline constexpr auto mqtt_keep_alive_max = 1177s;
/// A session that has not registered (PRODUCT section 4).
inline constexpr auto unregistered_session_time_max = 30s;
/// $rid of a request; SDKs send a GUID or a number.
inline constexpr std::size_t mqtt_request_id_chars_max = 512;
/// Topic filters in one SUBSCRIBE that are looked at (hub-mqtt.md 4.4); the rest is refused.
inline constexpr std::size_t mqtt_wishes_max = 5;
/// Properties of one message, to or from a device.
inline constexpr std::size_t message_properties_max = 128;
/// Their names and values together; escaped they still fit a topic.
inline constexpr std::size_t message_properties_bytes_max = 16 * 1024;

// --- AMQP ---
/// One frame; what we tell clients as max-frame-size. Larger messages come in several.
inline constexpr std::size_t amqp_frame_bytes_max = 64 * 1024;
/// Before OPEN: the SASL layer, with a SAS token as password.
inline constexpr std::size_t amqp_first_frame_bytes_max = 8 * 1024;
/// One message: the hub's bound (256 KB) with its properties, as it stands in max-message-size.
inline constexpr std::size_t amqp_message_bytes_max = 256 * 1024 + 8 * 1024;
/// Parts of messages that have not come whole, on all links of a connection together.
inline constexpr std::size_t amqp_partial_bytes_max = 2 * amqp_message_bytes_max;
/// Sessions of a connection: the SDKs open one.
inline constexpr std::size_t amqp_sessions_max = 4;
/// Links of a connection, those that are being closed included: a hub client has up to eight.
inline constexpr std::size_t amqp_links_max = 32;
/// Links that were refused, of one connection: an SDK tries two or three.
inline constexpr std::size_t amqp_refused_links_max = 16;
/// A link's name, which SDKs make of a GUID.
inline constexpr std::size_t amqp_link_name_bytes_max = 512;
/// Properties of a link: SDKs send two or three.
inline constexpr std::size_t amqp_link_properties_max = 32;
/// Messages a client may send before it is told that we have them.
inline constexpr std::uint32_t amqp_credit = 100;
/// Transfers a client may send on a session before it hears that there is room.
inline constexpr std::uint32_t amqp_session_window = 2'048;
/// Sent and not yet settled by the client; more wait.
inline constexpr std::size_t amqp_unsettled_max = 64;
/// What waits for a client that gives no credit or does not read: twice a queue full of the largest
/// messages to a device.
inline constexpr std::size_t amqp_outgoing_bytes_max = 8 * 1024 * 1024;
/// Messages of one client that are handed over together.
inline constexpr std::size_t amqp_together_max = 64;
/// A connection without a link, which has said nothing of who it is. SDKs connect early and attach
/// when there is something to say.
inline constexpr auto amqp_linkless_time_max = 60s;
/// Silence after which a client is gone; half of it is what we tell as idle-time-out.
inline constexpr auto amqp_silence_max = 480s;
/// The shortest idle-time-out a client may ask for: shorter ones would have us speak all the time.
inline constexpr auto amqp_idle_time_min = 2s;
/// For a message of several frames: between two of them.
inline constexpr auto amqp_transfer_time_max = 60s;
/// Between two looks at a connection's life, at the most.
inline constexpr auto amqp_pulse = 30s;
/// Annotations of a message that are looked at.
inline constexpr std::size_t amqp_annotations_max = 64;
/// Messages in one batch (format 0x80013700).
inline constexpr std::size_t amqp_batch_messages_max = 1'000;
/// A correlation id as it comes back; SDKs send a GUID.
inline constexpr std::size_t amqp_correlation_bytes_max = 512;

// --- Connections ---
/// Open at once on one door; idle ones cost about 30 kB each.
inline constexpr std::size_t connections_max = 20'000;
/// Open at once on the operator door.
inline constexpr std::size_t operator_connections_max = 256;

// --- Admission: effort in handshakes, ten seconds' worth at once (service/admission) ---
/// One source behind which no device has proved itself: a few per cent of one core.
inline constexpr double source_effort_per_second = 50;
/// One behind which one has: a factory that is being refused after a breach still gets its new
/// certificates in.
inline constexpr double proven_source_effort_per_second = 1'000;
/// All of the first kind together, for each core: a quarter to a half of what it can do.
inline constexpr double strangers_effort_per_second_and_core = 250;
/// What rollcall.toml may make of these; as good as no bound.
inline constexpr std::int64_t admission_rate_max = 1'000'000;
/// How long a source stays proven.
inline constexpr auto proven_source_life = 24h;
/// Sources remembered, about 150 bytes each.
inline constexpr std::size_t admission_sources_max = 65'536;
/// Long searches for a path that wait or run: in all, and of one source.
inline constexpr std::size_t searches_max = 32;
inline constexpr std::size_t source_searches_max = 4;

// --- Records ---
/// Adoptions kept for each device (PRODUCT section 5).
inline constexpr std::size_t adoption_history_max = 20;
/// Refusals kept for ids that are no device of ours (PRODUCT section 5).
inline constexpr std::size_t stranger_refusals_max = 10'000;
/// What those may take on the disk together: with chains of a common size all of them fit.
inline constexpr std::size_t stranger_refusal_bytes_max = 128 * 1024 * 1024;
/// Refusals of strangers written a second, on average and at once; more say nothing new.
inline constexpr std::size_t stranger_refusals_per_second = 50;
inline constexpr std::size_t stranger_refusals_burst = 500;
/// Refusals that may wait to be written, and the bytes they may hold.
inline constexpr std::size_t refusal_queue_max = 4'096;
inline constexpr std::size_t refusal_queue_bytes_max = 32 * 1024 * 1024;
/// How long a device may poll an operation (PRODUCT section 3.16).
inline constexpr auto operation_life = 24h;
/// A registration repeated with the same leaf within this time gets the same operation.
inline constexpr auto repeat_window = 30s;
/// Tolerance for not_before of what devices bring (PRODUCT section 3.6).
inline constexpr auto clock_skew = std::chrono::seconds{300};
/// Records in one page of a listing.
inline constexpr std::size_t page_max = 1'000;
inline constexpr std::size_t page_default = 100;

// --- Hubs and allocation (spec/dps-device-api.md 1.12) ---
/// Linked hubs, our own names among them: DPS' own bound.
inline constexpr std::size_t linked_hubs_max = 50;
inline constexpr std::uint32_t hub_weight_max = 1'000;
inline constexpr std::size_t hub_name_chars_max = 253;
inline constexpr std::size_t webhook_url_chars_max = 2'048;
/// What a webhook may answer: a message to a device has no more than that.
inline constexpr std::size_t webhook_answer_bytes_max = 96 * 1024;
inline constexpr std::size_t webhook_header_bytes_max = 16 * 1024;
/// The CAs they are verified with; a system's own have a quarter of it.
inline constexpr std::size_t webhook_ca_bytes_max = 1024 * 1024;
/// One call, and all attempts of it together: SDKs wait 10 to 30 s for a first answer.
inline constexpr auto webhook_call_time_max = 5s;
inline constexpr auto webhook_time_max = 8s;
inline constexpr int webhook_attempts_max = 3;
/// Connections at once to one webhook and to all; calls that wait or run (beyond it: "busy").
inline constexpr std::size_t webhook_connections_per_host_max = 32;
inline constexpr std::size_t webhook_connections_max = 128;
inline constexpr std::size_t webhook_calls_max = 1'024;

// --- Operators ---
/// Names of devices that a preview of a change lists (PRODUCT section 3.9).
inline constexpr std::size_t impact_names_max = 100;
/// An operator's reason in an audit event.
inline constexpr std::size_t reason_chars_max = 1'024;
/// Initial twin of an entry, as JSON text; IoT Hub's own bound for a twin's desired part.
inline constexpr std::size_t initial_twin_bytes_max = 32 * 1024;
/// Objects within each other in it; IoT Hub's bound too, and answers that show it stay readable for
/// parsers with json_depth_max.
inline constexpr std::size_t initial_twin_depth_max = 10;
/// Entries of one bulk operation of the DPS service API: DPS' own bound.
inline constexpr std::size_t bulk_entries_max = 10;
/// Bearer tokens at once; enough for people, scripts and mistakes.
inline constexpr std::size_t tokens_max = 1'000;
/// How exactly a token's last use is kept: each step is a write.
inline constexpr auto token_use_step = std::chrono::minutes{1};
/// Tokens of IoT Central's form end, as there: after a year, unless told otherwise.
inline constexpr auto central_token_life = std::chrono::hours{365 * 24};
/// Shared access policies at once: one for each tool and right would be a tenth of it.
inline constexpr std::size_t sas_policies_max = 100;
/// A CA certificate's name at the certificates API (spec/dps-service-api.md 2.7).
inline constexpr std::size_t arm_certificate_name_chars_max = 64;
/// How often an operator's change reads again after a version moved under it.
inline constexpr int change_attempts_max = 8;

// --- Command line and configuration ---
/// One answer a command reads: a full page of records with their certificates as PEM.
inline constexpr std::size_t admin_answer_bytes_max = 64 * 1024 * 1024;
/// For a command: to connect, and to have the whole answer (a preview over a large fleet).
inline constexpr auto admin_connect_time_max = 10s;
inline constexpr auto admin_answer_time_max = 120s;
/// One line of an exported audit log: an event with an initial twin before and after, escaped.
inline constexpr std::size_t audit_line_bytes_max = 8 * 1024 * 1024;
/// A backup's list of what it holds; it names about ten parts.
inline constexpr std::size_t backup_manifest_bytes_max = 64 * 1024;
/// A file in a backup beside the database: keys, certificates, rollcall.toml.
inline constexpr std::size_t backup_file_bytes_max = 1024 * 1024;
/// Pages of the database that a backup copies before it looks up (SQLite's are 4 KiB).
inline constexpr int backup_step_pages = 2'048;
/// rollcall.toml; a real one has fifty lines.
inline constexpr std::size_t config_bytes_max = 256 * 1024;
/// Threads for connections; no machine we know gains from more.
inline constexpr std::size_t threads_max = 256;
/// How long SIGTERM may let sessions finish.
inline constexpr auto drain_time_max = 3600s;

// --- Store ---
/// Stored certificates kept decoded, about 6 kB each: leaves of individual enrollments,
inline constexpr std::size_t cached_leaves_max = 4'096;
/// and CAs with remembered intermediates, which are all read again when one of them changes.
inline constexpr std::size_t cached_authorities_max = 8'192;

// --- Ledger ---
/// Changes gathered into one transaction at the most.
inline constexpr std::size_t ledger_batch_max = 256;
/// Changes that may wait for the ledger; beyond it the answer is "unavailable".
inline constexpr std::size_t ledger_queue_max = 65'536;

// --- Hub (hub-mqtt.md 4.3: the documented bounds) ---
/// Of the desired and of the reported properties, each.
inline constexpr std::size_t twin_properties_bytes_max = 32 * 1024;
inline constexpr std::size_t twin_tags_bytes_max = 8 * 1024;
inline constexpr int twin_depth_max = 10;
inline constexpr std::size_t twin_key_bytes_max = 1'024;
/// One message to a device, and how many may wait for it.
inline constexpr std::size_t device_message_bytes_max = 64 * 1024;
inline constexpr std::size_t device_messages_max = 50;
inline constexpr auto message_life = std::chrono::seconds{3'600};
inline constexpr auto message_life_max = std::chrono::seconds{2 * 24 * 3'600};
/// How long a message fetched over HTTPS is kept from being fetched again, and how many locks are
/// held before old ones are looked for.
inline constexpr auto message_lock_time = std::chrono::seconds{60};
inline constexpr std::size_t message_locks_max = 10'000;
/// What a device sends at once; beyond it the connection is closed.
inline constexpr std::size_t telemetry_body_bytes_max = 256 * 1024;
/// A method's name and payload, and how long its answer may take.
inline constexpr std::size_t method_name_chars_max = 100;
inline constexpr std::size_t method_payload_bytes_max = 128 * 1024;
inline constexpr auto method_timeout = std::chrono::seconds{30};
inline constexpr auto method_timeout_max = std::chrono::seconds{300};
/// What may wait for one connected device to be told, beyond which it does not read.
inline constexpr std::size_t session_mail_max = 256;
/// How long a question for telemetry may wait for some to come.
inline constexpr auto telemetry_wait_max = std::chrono::seconds{30};
/// Methods that wait for a device's answer, all devices together.
inline constexpr std::size_t method_calls_max = 10'000;

// --- Device groups and jobs (spec/iot-central-api.md 3.5) ---
/// Device groups, and jobs that wait or run at once: the cloud's own bounds.
inline constexpr std::size_t device_groups_max = 500;
inline constexpr std::size_t jobs_under_way_max = 5;
/// Ids, names and descriptions of both. The cloud's bound for ids; twice what a screen shows.
inline constexpr std::size_t job_id_chars_max = 255;
inline constexpr std::size_t job_name_chars_max = 256;
inline constexpr std::size_t job_description_chars_max = 1'024;
/// A device group's filter: a few hundred devices by name still fit.
inline constexpr std::size_t device_query_bytes_max = 16 * 1024;
/// Parentheses and NOTs within each other in it, and the values it compares with, all together.
inline constexpr std::size_t device_query_depth_max = 16;
inline constexpr std::size_t device_query_values_max = 500;
/// Names in the path of one property: as deep as a twin goes.
inline constexpr std::size_t device_query_path_max = 10;
/// What one job does to each device: properties set and commands called.
inline constexpr std::size_t job_steps_max = 20;
/// Their values together, as JSON text: what a direct method takes. All jobs that are kept then fit
/// memory, should anybody list them.
inline constexpr std::size_t job_values_bytes_max = 128 * 1024;
/// Devices of one job: the cloud's bound for an application.
inline constexpr std::size_t job_devices_max = 200'000;
/// Finished jobs are kept this long (the cloud's bound), and jobs in all.
inline constexpr auto job_life = std::chrono::hours{30 * 24};
inline constexpr std::size_t jobs_max = 1'000;
/// Devices of one job that are spoken to at once: five jobs stay far below method_calls_max, and
/// their commits share transactions with those of registrations.
inline constexpr std::size_t job_crew = 16;
/// Devices read or written together by a job: a core is held a few milliseconds at the most.
inline constexpr std::size_t job_page = 100;
/// Devices one question for a device group's members looks at, before others have their turn.
inline constexpr std::size_t device_group_look_max = 2'000;
/// How long a batch waits for devices that are not connected, to send them a command.
inline constexpr auto job_connect_time = 30s;
/// A job's breath between two devices of one hand, and between two looks for absent ones.
inline constexpr auto job_pause = 1ms;
inline constexpr auto job_look_again = 500ms;
/// The store was away: how long a job waits before it goes on.
inline constexpr auto job_retry_pause = 1s;

// --- Telemetry (store/telemetry_log) ---
/// One record: the 256 KiB that IoT Hub allows for a message's body and properties, and room for
/// the device's name, the time and the lengths of what is in it.
inline constexpr std::size_t telemetry_record_bytes_max = 272 * 1024;
/// What is kept on the disk, for readers that were away: at 500 bytes a message two million, a day
/// of 25 messages a second. The log is no archive.
inline constexpr std::uint64_t telemetry_bytes_max = std::uint64_t{1} << 30U;
/// And for how long: a reader that is repaired by tomorrow misses nothing.
inline constexpr auto telemetry_age_max = 24h;
/// One file of the log. Whole ones are let go, so that about a sixteenth goes at once.
inline constexpr std::uint64_t telemetry_segment_bytes_max = 64 * 1024 * 1024;
/// A file also ends when it covers this part of the age: else the records of a quiet fleet would
/// be as old as its file is long.
inline constexpr int telemetry_segments_per_age = 8;
/// Records written and synced together at the most: a few hundredths of a second on a slow disk.
inline constexpr std::size_t telemetry_batch_bytes_max = 8 * 1024 * 1024;
/// Records that may wait to be written; beyond it the answer is "unavailable". A second or two of
/// a slow disk's work.
inline constexpr std::size_t telemetry_queue_bytes_max = 64 * 1024 * 1024;
/// What one question looks through before others have their turn, and the most an answer holds.
inline constexpr std::size_t telemetry_look_bytes_max = 16 * 1024 * 1024;

// --- IoT Central's API (spec/iot-central-api.md 3.3) ---
/// Records in one of its pages where none is asked for, and at most.
inline constexpr std::size_t central_page_default = 25;
inline constexpr std::size_t central_page_max = 100;
/// What a device or a group is called; the cloud's bound.
inline constexpr std::size_t display_name_chars_max = 148;
/// A template's id is a DTMI.
inline constexpr std::size_t template_id_chars_max = 2'048;
/// Organizations of one device (the cloud allows one), and the length of an organization's id.
inline constexpr std::size_t device_organizations_max = 5;
inline constexpr std::size_t organization_id_chars_max = 49;
/// A $filter's text, and parentheses and negations within each other in it.
inline constexpr std::size_t central_filter_bytes_max = 2'048;
inline constexpr std::size_t central_filter_depth_max = 16;
/// Devices looked at for one page of a list that is filtered: a page may come short, with a
/// nextLink. And those that are sorted for one.
inline constexpr std::size_t central_filter_reads_max = 10'000;
inline constexpr std::size_t central_sorted_devices_max = 10'000;

// --- Users and their sessions (docs/access.md) ---
/// Users at once; the cloud stops at 200 role assignments.
inline constexpr std::size_t users_max = 1'000;
/// An email address at its longest (RFC 5321 with the erratum to RFC 3696).
inline constexpr std::size_t user_name_chars_max = 254;
inline constexpr std::size_t user_id_chars_max = 128;
/// Directory and object ids of IoT Central's users; they are GUIDs.
inline constexpr std::size_t directory_id_chars_max = 64;
/// Without rules about signs a password has to be longer than the 8 of NIST SP 800-63B.
inline constexpr std::size_t password_chars_min = 12;
/// Enough for a long sentence in any script; more would only cost time.
inline constexpr std::size_t password_bytes_max = 1'024;
/// Argon2id: the memory and passes of RFC 9106's second recommendation (section 4), which is above
/// OWASP's. A fifth of a second on one core.
inline constexpr std::uint32_t password_memory_kib = 64 * 1024;
inline constexpr std::uint32_t password_passes = 3;
/// Passwords hashed at once, which bounds the memory, and those that wait or are hashed.
inline constexpr std::size_t password_threads = 2;
inline constexpr std::size_t password_checks_max = 32;
/// Browsers in which one user is signed in; the one longest unused goes.
inline constexpr std::size_t sessions_per_user_max = 20;
/// Unused for so long, or so old, a session ends (defaults, and what may be configured).
inline constexpr auto session_idle_time = std::chrono::minutes{60};
inline constexpr auto session_life = std::chrono::hours{12};
inline constexpr auto session_time_max = std::chrono::hours{30 * 24};
/// Its secret is replaced when it is that old; the one before works that long after the new one was
/// seen: requests under way have it.
inline constexpr auto session_secret_life = std::chrono::minutes{15};
inline constexpr auto session_grace = std::chrono::seconds{60};
/// How stale the note of a session's last use may be: one write a minute and session.
inline constexpr auto session_note_interval = std::chrono::seconds{60};

// --- Failed sign-ins and the pace of operators (service/operator_guard) ---
/// Failures of one source (an address, or a /64) before it waits, and how soon one is forgiven. A
/// script with an old token makes a handful; a list of passwords makes no headway.
inline constexpr double source_failures_burst = 30;
inline constexpr auto source_failure_pause = std::chrono::seconds{10};
/// The same of one user's name from one source: typing errors.
inline constexpr double name_failures_burst = 5;
inline constexpr auto name_failure_pause = std::chrono::seconds{30};
/// Failures of one name from all sources together, after which its sign-ins are slowed, never
/// refused: a stranger must not lock somebody out.
inline constexpr double slowed_failures_burst = 20;
inline constexpr auto slowed_failure_pause = std::chrono::seconds{60};
inline constexpr auto slowed_delay = std::chrono::seconds{2};
/// Sources, names and callers remembered, about 100 bytes each, in each of the tables.
inline constexpr std::size_t guarded_max = 16'384;
/// Requests a second of one caller, ten seconds' worth at once: many times what the cloud gives an
/// application (20 a second), and little of what a core does.
inline constexpr std::int64_t caller_requests_per_second = 1'000;
inline constexpr std::int64_t caller_requests_per_second_max = 1'000'000;

// --- OpenID Connect ---
/// A provider's answers: documents, key sets, tokens.
inline constexpr std::size_t openid_answer_bytes_max = 256 * 1024;
inline constexpr std::size_t openid_token_bytes_max = 64 * 1024;
inline constexpr std::size_t openid_keys_max = 64;
/// The whole of one call; a person waits for it.
inline constexpr auto openid_call_time_max = std::chrono::seconds{5};
/// Calls that wait or run; beyond it the answer is "unavailable".
inline constexpr std::size_t openid_calls_max = 32;
/// From leaving for the provider to coming back.
inline constexpr auto openid_sign_in_time = std::chrono::minutes{10};
/// The provider's clock against ours.
inline constexpr auto openid_clock_skew = std::chrono::seconds{60};
/// How long its document is believed, and how soon a key that we do not know makes us ask again.
inline constexpr auto openid_document_life = std::chrono::hours{1};
inline constexpr auto openid_keys_pause = std::chrono::seconds{30};
/// Where to go after signing in.
inline constexpr std::size_t return_path_chars_max = 512;

// --- Audit retention ---
/// `[audit] keep`: days, and events. Fewer events than the least would let a slip of the hand wipe
/// what tells of it.
inline constexpr std::int64_t audit_keep_days_max = 36'500;
inline constexpr std::int64_t audit_keep_events_min = 1'000;
inline constexpr std::int64_t audit_keep_events_max = 1'000'000'000;
/// Events that one turn of pruning takes away: a few hundredths of a second of the writer's time.
inline constexpr std::size_t audit_prune_turn_max = 10'000;
/// Between two turns, when all that was due has gone, and when more is due.
inline constexpr auto audit_retention_pause = std::chrono::hours{1};
inline constexpr auto audit_retention_breath = std::chrono::seconds{1};

// --- Import ---
/// Entries of one file: DPS' own bound for individual enrollments (spec/dps-service-api.md 2.10).
inline constexpr std::size_t import_entries_max = 1'000'000;
/// One entry of it: two initial twins' worth, with room for what a tool adds.
inline constexpr std::size_t import_entry_bytes_max = 256 * 1024;
/// Files looked at in the directory of certificates: two for each entry.
inline constexpr std::size_t import_certificate_files_max = 2 * import_entries_max;
/// Individual enrollments in one request, written together: with two certificates each they fit an
/// operator's body, and the writer is busy with them for a few hundredths of a second.
inline constexpr std::size_t batch_enrollments_max = 250;
/// Places of a file, problems of each kind, that a report for people names; it counts them all.
inline constexpr std::size_t import_places_told_max = 20;

static_assert(mqtt_batch_max * 2 * twin_properties_bytes_max <= mqtt_outgoing_bytes_max / 2);
static_assert(path_signatures_on_core < path_signatures_max);
static_assert(source_searches_max < searches_max);
static_assert(source_effort_per_second < strangers_effort_per_second_and_core);
static_assert(path_signatures_max <= pki_verify_signatures_max);
static_assert(pki_verify_certificates_max < path_candidates_max);
static_assert(peer_certificates_max <= pki_verify_certificates_max);
static_assert(certificate_bytes_max <= peer_chain_bytes_max);
static_assert(certificate_file_bytes_max < operator_body_bytes_max);
static_assert(page_default <= page_max);
static_assert(device_groups_max <= page_max);
static_assert(jobs_max <= page_max);
static_assert(jobs_under_way_max * job_crew < method_calls_max);
static_assert(job_values_bytes_max <= method_payload_bytes_max);
static_assert(initial_twin_depth_max + 4 < json_depth_max);
static_assert(stranger_refusals_per_second <= stranger_refusals_burst);
static_assert(stranger_refusals_burst <= refusal_queue_max);
static_assert(refusal_queue_bytes_max <= stranger_refusal_bytes_max);
static_assert(amqp_first_frame_bytes_max <= amqp_frame_bytes_max);
static_assert(amqp_message_bytes_max > telemetry_body_bytes_max);
static_assert(amqp_message_bytes_max <= amqp_partial_bytes_max);
static_assert(amqp_pulse < amqp_silence_max);
static_assert(telemetry_record_bytes_max < telemetry_batch_bytes_max);
static_assert(telemetry_batch_bytes_max < telemetry_queue_bytes_max);
static_assert(telemetry_record_bytes_max < telemetry_look_bytes_max);
static_assert(telemetry_segment_bytes_max < telemetry_bytes_max);
static_assert(central_page_max <= page_max);
static_assert(central_page_max <= central_filter_reads_max);
static_assert(password_threads < password_checks_max);
static_assert(session_grace < session_secret_life && session_secret_life < session_idle_time);
static_assert(session_idle_time < session_life && session_life <= session_time_max);
static_assert(batch_enrollments_max * 2 * 2'048 <= operator_body_bytes_max);
static_assert(initial_twin_bytes_max * 2 < import_entry_bytes_max);

}  // namespace rollcall::limits
