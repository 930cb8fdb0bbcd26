// SPDX-License-Identifier: Apache-2.0
#include "store/schema.hpp"

#include "base/limits.hpp"
#include "domain/job.hpp"
#include "domain/registration.hpp"
#include "store/bookkeeping_rows.hpp"

#include <array>
#include <string>

namespace rollcall::store {
namespace {

/// Step 1. Times are microseconds since 1970 UTC, digests 32-byte blobs, enumerations the numbers
/// of their C++ types. Ids that compare without case are stored folded, with the spelling beside
/// them. Rows that hold a whole certificate live in rowid tables: WITHOUT ROWID rows beyond a
/// quarter of a page would spill.
constexpr const char* first_tables = R"sql(
CREATE TABLE counters (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO counters VALUES ('anchors_version', 1), ('config_version', 1);

CREATE TABLE cas (
    id           TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    sha256       BLOB NOT NULL UNIQUE,
    verified_how INTEGER,              -- NULL: not verified
    verified_at  INTEGER,
    verified_by  TEXT,
    pending_code TEXT NOT NULL,
    etag         TEXT NOT NULL,
    created      INTEGER NOT NULL,
    updated      INTEGER NOT NULL,
    der          BLOB NOT NULL
) STRICT;

CREATE TABLE enrollment_groups (
    id                TEXT PRIMARY KEY,     -- folded
    name              TEXT NOT NULL,        -- as given
    instance          TEXT NOT NULL,
    enabled           INTEGER NOT NULL,
    primary_current   TEXT,
    primary_pending   TEXT,
    secondary_current TEXT,
    secondary_pending TEXT,
    update_hub        INTEGER NOT NULL,
    migrate_data      INTEGER NOT NULL,
    auto_approve      INTEGER NOT NULL,
    refuse_older_leaf INTEGER NOT NULL,
    initial_twin      TEXT NOT NULL,
    withdrawn         BLOB NOT NULL,        -- subject and SPKI digests, 64 bytes each
    trust_version     INTEGER NOT NULL,
    etag              TEXT NOT NULL,
    created           INTEGER NOT NULL,
    updated           INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE individuals (
    id               TEXT PRIMARY KEY,      -- folded
    name             TEXT NOT NULL,         -- as given
    instance         TEXT NOT NULL,
    device_id        TEXT,
    enabled          INTEGER NOT NULL,
    primary_sha256   BLOB,
    secondary_sha256 BLOB,
    update_hub       INTEGER NOT NULL,
    migrate_data     INTEGER NOT NULL,
    initial_twin     TEXT NOT NULL,
    withdrawn        BLOB NOT NULL,         -- digests of leaves, 32 bytes each
    trust_version    INTEGER NOT NULL,
    etag             TEXT NOT NULL,
    created          INTEGER NOT NULL,
    updated          INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- Every registration asks whether its leaf stands in a disabled entry; few entries are disabled.
CREATE INDEX disabled_primary ON individuals (primary_sha256)
    WHERE enabled = 0 AND primary_sha256 IS NOT NULL;
CREATE INDEX disabled_secondary ON individuals (secondary_sha256)
    WHERE enabled = 0 AND secondary_sha256 IS NOT NULL;

CREATE TABLE individual_certificates (
    individual TEXT NOT NULL,
    slot       INTEGER NOT NULL,
    sha256     BLOB NOT NULL,
    der        BLOB NOT NULL,
    PRIMARY KEY (individual, slot)
) STRICT;

-- The newest adoption of each is in `adoptions`, at ring = adoptions % 20; what listings ask for
-- stands here a second time.
CREATE TABLE registrations (
    id              TEXT PRIMARY KEY,       -- folded
    name            TEXT NOT NULL,          -- as given
    device_id       TEXT NOT NULL,
    assigned_hub    TEXT NOT NULL,
    status          INTEGER NOT NULL,
    substatus       INTEGER NOT NULL,
    failure_code    INTEGER NOT NULL,
    failure_message TEXT NOT NULL,
    etag            TEXT NOT NULL,
    created         INTEGER NOT NULL,
    updated         INTEGER NOT NULL,
    adoptions       INTEGER NOT NULL,
    entry_kind      INTEGER,                -- NULL: no adoption yet
    entry_id        TEXT COLLATE NOCASE,
    entry_instance  TEXT,
    slot            INTEGER,
    ca_sha256       BLOB,
    ca_subject      BLOB,
    ca_spki         BLOB,
    leaf_spki       BLOB
) STRICT, WITHOUT ROWID;
CREATE INDEX registrations_by_entry ON registrations (entry_kind, entry_id, id);
CREATE INDEX registrations_by_ca ON registrations (ca_sha256, id);
CREATE INDEX registrations_by_ca_key ON registrations (ca_spki, id);
-- Almost all are assigned (2): those are found in the table itself.
CREATE INDEX registrations_by_status ON registrations (status, id) WHERE status <> 2;

CREATE TABLE adoptions (
    registration        TEXT NOT NULL,
    ring                INTEGER NOT NULL,
    number              INTEGER NOT NULL,
    operation           TEXT NOT NULL,
    at                  INTEGER NOT NULL,
    entry_kind          INTEGER NOT NULL,
    entry_id            TEXT NOT NULL,
    entry_instance      TEXT NOT NULL,
    slot                INTEGER NOT NULL,
    ca_sha256           BLOB NOT NULL,
    ca_subject          BLOB NOT NULL,
    ca_spki             BLOB NOT NULL,
    leaf_sha256         BLOB NOT NULL,
    leaf_spki           BLOB NOT NULL,
    serial              TEXT NOT NULL,
    not_before          INTEGER NOT NULL,
    not_after           INTEGER NOT NULL,
    key                 TEXT NOT NULL,
    signature_algorithm TEXT NOT NULL,
    chain_length        INTEGER NOT NULL,
    path_keys           BLOB NOT NULL,      -- SPKI digests, 32 bytes each
    completed           INTEGER NOT NULL,
    went_back           INTEGER NOT NULL,
    protocol            INTEGER NOT NULL,
    api_version         TEXT NOT NULL,
    user_agent          TEXT NOT NULL,
    tls_version         TEXT NOT NULL,
    tls_cipher          TEXT NOT NULL,
    status              INTEGER NOT NULL,
    substatus           INTEGER NOT NULL,
    failure_code        INTEGER NOT NULL,
    failure_message     TEXT NOT NULL,
    PRIMARY KEY (registration, ring)
) STRICT, WITHOUT ROWID;

-- Kept by the ledger, so that watching a roll of a million devices does not count a million rows.
CREATE TABLE adoption_counts (
    entry_kind     INTEGER NOT NULL,
    entry_id       TEXT NOT NULL COLLATE NOCASE,
    entry_instance TEXT NOT NULL,
    ca_sha256      BLOB NOT NULL,
    slot           INTEGER NOT NULL,
    devices        INTEGER NOT NULL,
    PRIMARY KEY (entry_kind, entry_id, entry_instance, ca_sha256, slot)
) STRICT, WITHOUT ROWID;

CREATE TABLE devices (
    id             TEXT PRIMARY KEY,
    registration   TEXT NOT NULL,
    approved       INTEGER NOT NULL,
    blocked        INTEGER NOT NULL,
    leaf_sha256    BLOB,
    entry_kind     INTEGER NOT NULL,
    entry_id       TEXT NOT NULL,
    entry_instance TEXT NOT NULL,
    etag           TEXT NOT NULL,
    created        INTEGER NOT NULL,
    updated        INTEGER NOT NULL,
    state          INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX devices_by_state ON devices (state, id);

CREATE TABLE distrusted (
    spki    BLOB PRIMARY KEY,
    subject TEXT NOT NULL,
    reason  TEXT NOT NULL,
    by      TEXT NOT NULL,
    at      INTEGER NOT NULL,
    sha256  BLOB,                           -- of the certificate it was taken from, and itself
    der     BLOB
) STRICT, WITHOUT ROWID;

CREATE TABLE seen_intermediates (
    sha256 BLOB PRIMARY KEY,
    at     INTEGER NOT NULL,
    der    BLOB NOT NULL
) STRICT;
CREATE INDEX seen_intermediates_by_age ON seen_intermediates (at, sha256);

CREATE TABLE tokens (
    id            TEXT PRIMARY KEY,         -- folded
    name          TEXT NOT NULL,            -- as given
    secret_sha256 BLOB NOT NULL UNIQUE,
    role          INTEGER NOT NULL,
    expires       INTEGER,
    created_by    TEXT NOT NULL,
    created       INTEGER NOT NULL,
    etag          TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE settings (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    sequence INTEGER PRIMARY KEY,
    at       INTEGER NOT NULL,
    actor    TEXT NOT NULL,
    source   TEXT NOT NULL,
    action   TEXT NOT NULL,
    object   TEXT NOT NULL,
    detail   TEXT NOT NULL,
    reason   TEXT NOT NULL,
    previous BLOB NOT NULL,
    hash     BLOB NOT NULL
) STRICT;
CREATE TABLE audit_head (
    only      INTEGER PRIMARY KEY CHECK (only = 1),
    sequence  INTEGER NOT NULL,
    hash      BLOB NOT NULL,
    signature BLOB NOT NULL
) STRICT;
)sql";

/// Step 2: two indexes fewer to write for each new device, in places far apart. A CA's certificate
/// is found by its key; of the devices, those in the usual state are found in the table itself.
constexpr const char* fewer_indexes = R"sql(
DROP INDEX registrations_by_ca;
DROP INDEX devices_by_state;
CREATE INDEX devices_by_state ON devices (state, id) WHERE state <> 1;
)sql";

/// Step 3: what a hub keeps for a device. Twins and messages hold texts of some length and live in
/// rowid tables (see step 1). AUTOINCREMENT: the number of a message that went is not given to a
/// later one, since a device may still complete the first.
constexpr const char* hub_tables = R"sql(
CREATE TABLE twins (
    id               TEXT PRIMARY KEY,
    tags             TEXT NOT NULL,
    desired          TEXT NOT NULL,
    desired_version  INTEGER NOT NULL,
    reported         TEXT NOT NULL,
    reported_version INTEGER NOT NULL,
    etag             TEXT NOT NULL,
    updated          INTEGER NOT NULL
) STRICT;

CREATE TABLE device_messages (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    device     TEXT NOT NULL,
    id         TEXT NOT NULL,
    properties BLOB NOT NULL,               -- see packed.hpp
    body       BLOB NOT NULL,
    enqueued   INTEGER NOT NULL,
    expires    INTEGER NOT NULL
) STRICT;
-- In order of delivery; with their ends, so that counting those that wait reads no bodies.
CREATE INDEX device_messages_by_device ON device_messages (device, number, expires);

CREATE TABLE subscriptions (
    device       TEXT PRIMARY KEY,
    messages     INTEGER NOT NULL,          -- granted quality of service, -1: not subscribed
    twin_answers INTEGER NOT NULL,
    desired      INTEGER NOT NULL,
    methods      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

/// Step 4: entries that attest by symmetric key, and proofs by one.
constexpr const char* symmetric_keys = R"sql(
ALTER TABLE enrollment_groups ADD COLUMN keys BLOB;   -- both, sealed; NULL: by certificate
ALTER TABLE individuals ADD COLUMN keys BLOB;
ALTER TABLE adoptions ADD COLUMN attestation INTEGER NOT NULL DEFAULT 0;
)sql";

/// Step 5: linked hubs, and what entries say about them (a sealed AllocationRule: a webhook's
/// address may hold a key).
constexpr const char* linked_hubs = R"sql(
CREATE TABLE linked_hubs (
    id       TEXT PRIMARY KEY,              -- folded
    name     TEXT NOT NULL,                 -- as given
    own      INTEGER NOT NULL,
    weight   INTEGER NOT NULL,
    allocate INTEGER NOT NULL,
    etag     TEXT NOT NULL,
    created  INTEGER NOT NULL,
    updated  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
ALTER TABLE enrollment_groups ADD COLUMN allocation BLOB;   -- sealed; NULL: the server's rule
ALTER TABLE individuals ADD COLUMN allocation BLOB;
ALTER TABLE registrations ADD COLUMN payload TEXT NOT NULL DEFAULT '';
)sql";

/// Step 6: shared access policies. `rights`: bits in the order of domain::SasRight.
constexpr const char* shared_access_policies = R"sql(
CREATE TABLE sas_policies (
    id         TEXT PRIMARY KEY,            -- folded
    name       TEXT NOT NULL,               -- as given
    keys       BLOB NOT NULL,               -- both, sealed
    rights     INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    created    INTEGER NOT NULL,
    updated    INTEGER NOT NULL,
    etag       TEXT NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

/// Step 7: what DPS' clients keep with an entry (domain::to_text of ClientNotes).
constexpr const char* client_notes = R"sql(
ALTER TABLE enrollment_groups ADD COLUMN notes TEXT NOT NULL DEFAULT '';
ALTER TABLE individuals ADD COLUMN notes TEXT NOT NULL DEFAULT '';
)sql";

/// Step 8: tokens in IoT Central's form, and when each was last used.
constexpr const char* token_forms = R"sql(
ALTER TABLE tokens ADD COLUMN form INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tokens ADD COLUMN last_used INTEGER;
)sql";

static_assert(static_cast<int>(domain::Role::viewer) == 3);
static_assert(static_cast<int>(domain::TokenForm::central) == 1);

/// Step 9: what operators say of devices. Few have any: registering writes none.
constexpr const char* device_notes = R"sql(
CREATE TABLE device_notes (
    device        TEXT PRIMARY KEY,
    display_name  TEXT NOT NULL,            -- empty: the id
    template      TEXT NOT NULL,
    simulated     INTEGER NOT NULL,
    organizations TEXT NOT NULL             -- ids with spaces between them
) STRICT;
)sql";

/// Step 10: device groups, jobs and their devices. `orders`: batch, threshold and steps, packed
/// (see job_rows.cpp).
constexpr const char* device_groups_and_jobs = R"sql(
CREATE TABLE device_groups (
    id           TEXT PRIMARY KEY,          -- as given: case matters
    display_name TEXT NOT NULL,
    description  TEXT NOT NULL,
    filter       TEXT NOT NULL,
    etag         TEXT NOT NULL,
    created      INTEGER NOT NULL,
    updated      INTEGER NOT NULL
) STRICT;

CREATE TABLE jobs (
    id           TEXT PRIMARY KEY,          -- as given: case matters
    display_name TEXT NOT NULL,
    description  TEXT NOT NULL,
    device_group TEXT NOT NULL,
    filter       TEXT NOT NULL,
    orders       BLOB NOT NULL,
    rerun_of     TEXT NOT NULL,
    status       INTEGER NOT NULL,
    chosen       INTEGER NOT NULL,
    total        INTEGER NOT NULL,
    completed    INTEGER NOT NULL,
    failed       INTEGER NOT NULL,
    fault        TEXT NOT NULL,
    created_by   TEXT NOT NULL,
    created      INTEGER NOT NULL,
    started      INTEGER,
    ended        INTEGER,
    etag         TEXT NOT NULL
) STRICT;

CREATE TABLE job_devices (
    job     TEXT NOT NULL,
    number  INTEGER NOT NULL,
    device  TEXT NOT NULL,
    status  INTEGER NOT NULL,
    done    INTEGER NOT NULL,
    calling INTEGER NOT NULL,
    fault   TEXT NOT NULL,
    PRIMARY KEY (job, number)
) STRICT, WITHOUT ROWID;
-- For what is left to do, what failed, and how many of each.
CREATE INDEX job_devices_by_status ON job_devices (job, status, number);
)sql";

static_assert(static_cast<int>(domain::JobStatus::stopped) == 5);
static_assert(static_cast<int>(domain::JobStatus::running) == 1);
static_assert(static_cast<int>(domain::JobDeviceStatus::failed) == 2);
/// Step 11: users and the sessions they are signed in to.
constexpr const char* users_and_sessions = R"sql(
CREATE TABLE users (
    key           TEXT PRIMARY KEY,         -- id, folded
    name_key      TEXT NOT NULL UNIQUE,     -- name, folded
    id            TEXT NOT NULL,            -- as given
    name          TEXT NOT NULL,            -- as given
    kind          INTEGER NOT NULL,
    role          INTEGER NOT NULL,
    enabled       INTEGER NOT NULL,
    password_hash TEXT NOT NULL,            -- Argon2id; empty: none
    issuer        TEXT NOT NULL,            -- of the OpenID identity; empty: not seen yet
    subject       TEXT NOT NULL,
    role_by_claim INTEGER NOT NULL,
    tenant_id     TEXT NOT NULL,
    object_id     TEXT NOT NULL,
    created_by    TEXT NOT NULL,
    created       INTEGER NOT NULL,
    updated       INTEGER NOT NULL,
    etag          TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX users_by_identity ON users (issuer, subject) WHERE subject<>'';

CREATE TABLE sessions (
    id              TEXT PRIMARY KEY,
    user_id         TEXT NOT NULL,          -- users.key
    secret_sha256   BLOB NOT NULL UNIQUE,
    previous_sha256 BLOB,
    confirmed       INTEGER NOT NULL,
    csrf            TEXT NOT NULL,
    source          TEXT NOT NULL,
    user_agent      TEXT NOT NULL,
    created         INTEGER NOT NULL,
    used            INTEGER NOT NULL,
    rotated         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_previous ON sessions (previous_sha256) WHERE previous_sha256 IS NOT NULL;
CREATE INDEX sessions_by_user ON sessions (user_id, created);
)sql";

static_assert(static_cast<int>(domain::UserKind::openid) == 1);
static_assert(static_cast<int>(domain::SasRight::registration_status_write) == 5);
static_assert(static_cast<int>(domain::AttestationKind::x509) == 0);
static_assert(static_cast<int>(domain::RegistrationStatus::assigned) == 2);
static_assert(static_cast<int>(domain::DeviceState::provisioned) == 1);
static_assert(limits::adoption_history_max == 20);

/// Append only: a released step never changes.
constexpr std::array migrations{first_tables,           fewer_indexes,     hub_tables,
                                symmetric_keys,         linked_hubs,       shared_access_policies,
                                client_notes,           token_forms,       device_notes,
                                device_groups_and_jobs, users_and_sessions};

Result<Done> refuse_strangers(Database& database);

}  // namespace

int newest_schema() {
    return static_cast<int>(migrations.size());
}

Error written_by_newer(std::int64_t schema) {
    return {ErrorKind::unsupported,
            "this data directory was written by a newer rollcall (its schema is " +
                std::to_string(schema) + ", this program knows " + std::to_string(newest_schema()) +
                "): run that one",
            "schema-newer"};
}

Result<Done> migrate(Database& database, const AuditHead& first_head) {
    TRY(const std::int64_t had, database.integer("PRAGMA user_version"));
    if (had > newest_schema()) {
        return written_by_newer(had);
    }
    if (had == 0) {
        TRY([[maybe_unused]] const auto ours, refuse_strangers(database));
    }
    for (auto step = static_cast<std::size_t>(had); step < migrations.size(); ++step) {
        TRY(auto transaction, Transaction::begin(database, Transaction::Kind::writing));
        TRY([[maybe_unused]] const auto made, database.execute(migrations[step]));
        if (step == 0) {
            TRY([[maybe_unused]] const auto head, put_audit_head(database, first_head));
        }
        // Numbers of our own: a pragma takes no parameters.
        const std::string marks = "PRAGMA user_version=" + std::to_string(step + 1) +
                                  "; PRAGMA application_id=" + std::to_string(store_application_id);
        TRY([[maybe_unused]] const auto marked, database.execute(marks.c_str()));
        TRY([[maybe_unused]] const auto done, transaction.commit());
    }
    return Done{};
}

namespace {

Result<Done> refuse_strangers(Database& database) {
    TRY(const std::int64_t tables, database.integer("SELECT count(*) FROM sqlite_master"));
    if (tables > 0) {
        return Error{ErrorKind::unsupported,
                     "the file in the data directory's place is another program's database",
                     "not-our-store"};
    }
    return Done{};
}

}  // namespace
}  // namespace rollcall::store
