# SPDX-License-Identifier: Apache-2.0
"""What a server acknowledged, and whether its store still says so."""
import contextlib
import os
import shutil
import sqlite3
import tempfile
import threading

NEWEST = 5  # operations of a device looked for one by one; the store keeps 20

# What must select nothing, whatever happened to the server.
HALF_WRITTEN = {
    "a registration without its newest adoption":
        "SELECT r.id FROM registrations r LEFT JOIN adoptions a ON a.registration=r.id"
        " AND a.ring=r.adoptions%20 WHERE r.adoptions>0 AND a.number IS NOT r.adoptions",
    "a history with gaps":
        "SELECT r.id FROM registrations r JOIN adoptions a ON a.registration=r.id GROUP BY r.id"
        " HAVING count(*)<>min(r.adoptions,20) OR max(a.number)<>r.adoptions"
        " OR max(a.number)-min(a.number)+1<>count(*)",
    "a registration that rests elsewhere than its newest adoption":
        "SELECT r.id FROM registrations r JOIN adoptions a ON a.registration=r.id"
        " AND a.number=r.adoptions WHERE r.ca_sha256<>a.ca_sha256 OR r.slot<>a.slot"
        " OR r.leaf_spki<>a.leaf_spki OR r.entry_id<>a.entry_id COLLATE NOCASE"
        " OR r.status<>a.status",
    "an assigned registration without its device":
        "SELECT r.id FROM registrations r JOIN adoptions a ON a.registration=r.id"
        " AND a.number=r.adoptions LEFT JOIN devices d ON d.id=r.device_id WHERE r.status=2"
        " AND (d.registration IS NOT r.id OR d.leaf_sha256 IS NOT a.leaf_sha256)",
    "a device without its registration":
        "SELECT id FROM devices WHERE registration NOT IN (SELECT id FROM registrations)",
    "an adoption of nobody":
        "SELECT registration FROM adoptions"
        " WHERE registration NOT IN (SELECT id FROM registrations)",
    "a count that is not the registrations'":
        "SELECT hex(ca_sha256) FROM (SELECT ca_sha256, slot, entry_id COLLATE NOCASE AS entry,"
        " count(*) AS n FROM registrations WHERE adoptions>0 GROUP BY 1,2,3 EXCEPT"
        " SELECT ca_sha256, slot, entry_id, devices FROM adoption_counts WHERE devices<>0)",
    "a gap in the audit":
        "SELECT count(*) FROM audit HAVING count(*)<>ifnull(max(sequence),0)"
        " OR count(*)<>(SELECT sequence FROM audit_head)",
    "a slot with a CA that is not there":
        "SELECT id FROM enrollment_groups WHERE primary_current IS NOT NULL"
        " AND primary_current NOT IN (SELECT id FROM cas)",
}


class Books:
    """Asked and acknowledged, in the order of each asker. Used by many threads."""

    def __init__(self):
        self.mutex = threading.Lock()
        self.operations = {}  # device -> acknowledged operations, the newest last
        self.reasons = set()  # of acknowledged changes
        self.states = {}      # what a change is about -> what it may be now
        self.registrations = self.refused = 0
        self.contexts = {}    # of the devices, who know the server by its CA from the first start

    def registered(self, device, operation):
        with self.mutex:
            known = self.operations.setdefault(device, [])
            if operation not in known:
                known.append(operation)
                self.registrations += 1

    def asks(self, about, value):
        """What it may be now."""
        with self.mutex:
            before = self.states.get(about, [None])
            self.states[about] = [*before, value]
            return before

    def changed(self, about, value, reason, before):
        with self.mutex:
            self.states[about] = [value]
            if value not in before:  # else there may have been nothing to do, nor to audit
                self.reasons.add(reason)

    def settle(self, said):
        """What is otherwise than acknowledged, where `said` is what the server shows now."""
        wrong = [f"{about} is {said[about]}, not {may}" for about, may in self.states.items()
                 if said[about] not in may]
        self.states = {about: [value] for about, value in said.items()}
        return wrong

    @property
    def changes(self):
        return len(self.reasons)


@contextlib.contextmanager
def copy_of(data):
    """The store as it lies there, opened apart: looking must not heal it."""
    with tempfile.TemporaryDirectory(prefix="rollcall-books-") as scratch:
        for end in ("", "-wal", "-journal"):
            if os.path.exists(os.path.join(data, "rollcall.db" + end)):
                shutil.copy(os.path.join(data, "rollcall.db" + end), scratch)
        database = sqlite3.connect(os.path.join(scratch, "rollcall.db"))
        try:
            yield database
        finally:
            database.close()


def faults_of(data, books):
    """(what was lost, what is half-written), in words."""
    lost, half = [], []
    with copy_of(data) as database:
        if not database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            return ["the store"], []
        sound = [row[0] for row in database.execute("PRAGMA integrity_check")]
        if sound != ["ok"]:
            return lost, [f"integrity: {line}" for line in sound]
        for what, question in HALF_WRITTEN.items():
            half += [f"{what}: {row[0]}" for row in database.execute(question)]
        count = dict(database.execute("SELECT id, adoptions FROM registrations"))
        there = set(database.execute("SELECT registration, operation FROM adoptions"))
        reasons = {row[0] for row in database.execute("SELECT reason FROM audit")}
    for device, operations in books.operations.items():
        gone = [o for o in operations[-NEWEST:] if (device, o) not in there]
        lost += [f"{device}: {operation}" for operation in gone]
        if not gone and count.get(device, 0) < len(operations):
            lost.append(f"{device}: {len(operations)} acknowledged, {count.get(device, 0)} kept")
    lost += [f"change {reason}" for reason in sorted(books.reasons - reasons)]
    return lost, half
