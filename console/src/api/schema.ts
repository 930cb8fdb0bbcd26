// SPDX-License-Identifier: Apache-2.0
// Made by tools/types.mjs from docs/api/openapi.json. Do not edit.

/** A refusal, after RFC 9457. */
export type Problem = {
    /** `urn:rollcall:problem:` and the code. */
    type: string;
    /** The kind of refusal in words. */
    title: string;
    /** The HTTP status. */
    status: number;
    /** Stable word for programs, kebab-case: `private-key-uploaded`, `ca-in-other-group`, `stale`. */
    code: string;
    /** What happened and what to do about it. */
    detail: string;
    /** The same id stands in the server's log. */
    trackingId: string;
};

export type Certificate = {
    subject: string;
    issuer: string;
    commonName: string | null;
    /** Upper-case hex. */
    serialNumber: string;
    /** 40 upper-case hex characters. */
    sha1Thumbprint: string;
    /** 64 upper-case hex characters. */
    sha256Thumbprint: string;
    /** SHA-256 of the SubjectPublicKeyInfo, 64 upper-case hex characters. */
    spkiSha256: string;
    version: number;
    notBefore: string;
    /** Inclusive. */
    notAfter: string;
    /** `P-256`, `RSA 2048`. */
    key: string;
    signatureAlgorithm: string;
    /** basicConstraints cA; null where the extension is absent. */
    isCa: boolean | null;
    /** Only where asked for with `pem=true`. */
    pem?: string;
};

export type Finding = {
    /** Stable word: `expired`, `not-a-ca`, `unknown-anchor`. */
    fault: string;
    gravity: "note" | "warning" | "fatal";
    /** What was found, with the values. */
    detail: string;
    /** What would mend it; empty for notes. */
    fix: string;
};

export type Verification = {
    how: "proof" | "vouched";
    at: string;
    by: string;
};

export type Use = {
    group: string;
    slot: Slot;
    as: "current" | "pending";
};

export type Slot = "primary" | "secondary";

export type CaCertificate = {
    /** Key of the record. */
    id: string;
    /** Empty for one that was uploaded into a slot. */
    name: string;
    certificate: Certificate;
    /** Its owner showed possession of the key, or an operator vouched. */
    verified: boolean;
    verification: Verification | null;
    /** Devices under it can be attested now: verified itself, or with a path to a verified CA. */
    attests: boolean;
    /** A code of proof of possession was asked for and not used yet. */
    codePending: boolean;
    usedBy: Use[];
    /** What is odd about the certificate now. */
    findings: Finding[];
    etag: string;
    created: string;
    updated: string;
};

export type CaCertificatePage = {
    items: CaCertificate[];
    /** `after` of the next page; null: this was the last. */
    next: string | null;
};

export type CaCertificateChange = {
    caCertificate: CaCertificate;
    findings: Finding[];
    warnings: string[];
};

export type SlotCertificate = {
    /** Key of the CA certificate record. */
    id: string;
    /** The record was deleted; the slot attests nothing until it is set again. */
    dangling: boolean;
    name: string;
    certificate: Certificate | null;
    verified: boolean;
    verification: Verification | null;
    /** False for a pending one. */
    attests: boolean;
    codePending: boolean;
};

/** `current` attests; `pending` waits to be verified and then takes its place. */
export type GroupSlot = {
    slot: Slot;
    current: SlotCertificate | null;
    pending: SlotCertificate | null;
};

export type GroupSlots = {
    primary: GroupSlot;
    secondary: GroupSlot;
};

export type ReprovisionPolicy = {
    updateHubAssignment?: boolean;
    migrateDeviceData?: boolean;
};

export type CustomAllocationDefinition = {
    /** https; http for a webhook on the server's own machine where the server allows it. What follows its `?` is taken for a key and shown as `****`; sent back like that, it stands for the one that is there. */
    webhookUrl: string;
    /** As 2021-10-01, which is the default. */
    apiVersion?: string;
};

export type LinkedHub = {
    name: string;
    /** A name of this server itself. */
    own: boolean;
    weight: number;
    /** false: keeps its devices and gets no new ones. */
    allocate: boolean;
    /** How many are assigned to it; only where one hub is asked for. */
    devices?: number;
    etag: string;
    created: string;
    updated: string;
};

export type LinkedHubPage = {
    items: LinkedHub[];
    /** `after` of the next page; null: this was the last. */
    next: string | null;
};

export type LinkedHubChange = {
    hub: LinkedHub;
    findings: Finding[];
    warnings: string[];
};

export type LinkedHubAdd = {
    /** Its host name. */
    name: string;
    /** It is a further name of this server: devices keep their twin when they move between such hubs. */
    own?: boolean;
    weight?: number;
    allocate?: boolean;
    /** The operator's own words, kept in the audit event. */
    reason?: string;
};

export type LinkedHubUpdate = {
    weight?: number;
    allocate?: boolean;
    /** The operator's own words, kept in the audit event. */
    reason?: string;
};

export type Allocation = {
    /** null: the server's own (see /allocation). */
    allocationPolicy: "hashed" | "geoLatency" | "static" | "custom" | null;
    /** Host names in order; empty: all that are linked. */
    iotHubs: string[];
    customAllocationDefinition: CustomAllocationDefinition | null;
};

export type AllocationUpdate = {
    /** For entries without one of their own; null: hashed. */
    allocationPolicy?: "hashed" | "geoLatency" | "static" | null;
    /** Host names in order; empty: all that are linked. One that is not linked is taken, with a warning. */
    iotHubs?: string[] | null;
    customAllocationDefinition?: null;
    /** The operator's own words, kept in the audit event. */
    reason?: string;
};

export type AllocationChange = {
    allocation: Allocation;
    findings: Finding[];
    warnings: string[];
};

export type Group = {
    id: string;
    enabled: boolean;
    /** Unknown devices under a valid chain are let in at once; else they wait for approval. */
    autoApprove: boolean;
    /** Refuses a device that returns with a leaf older than its last. */
    refuseOlderLeaf: boolean;
    reprovisionPolicy: ReprovisionPolicy;
    /** `{"tags":{…},"properties":{"desired":{…}}}`; null: none. */
    initialTwin: Record<string, unknown> | null;
    /** null: the server's own (see /allocation). */
    allocationPolicy: "hashed" | "geoLatency" | "static" | "custom" | null;
    /** Host names in order; empty: all that are linked. */
    iotHubs: string[];
    customAllocationDefinition: CustomAllocationDefinition | null;
    /** How its devices prove themselves. */
    attestation: "x509" | "symmetricKey";
    /** Null: it attests by certificate. */
    keyIds: KeyIds | null;
    certificates: GroupSlots;
    etag: string;
    created: string;
    updated: string;
};

export type GroupPage = {
    items: Group[];
    /** `after` of the next page; null: this was the last. */
    next: string | null;
};

export type GroupChange = {
    group: Group;
    /** A certificate was staged and waits to be verified. */
    pending: boolean;
    findings: Finding[];
    warnings: string[];
};

export type GroupCreate = {
    /** Letters, digits and `- . _ :`, at most 128; unique without case. */
    id: string;
    enabled?: boolean;
    autoApprove?: boolean;
    refuseOlderLeaf?: boolean;
    reprovisionPolicy?: ReprovisionPolicy;
    /** `{"tags":{…},"properties":{"desired":{…}}}`; null: none. */
    initialTwin?: Record<string, unknown> | null;
    /** null: the server's own (see /allocation). */
    allocationPolicy?: "hashed" | "geoLatency" | "static" | "custom" | null;
    /** Host names in order; empty: all that are linked. One that is not linked is taken, with a warning. */
    iotHubs?: string[] | null;
    customAllocationDefinition?: CustomAllocationDefinition | null;
    /** The operator's own words, kept in the audit event. */
    reason?: string;
    symmetricKey?: NewKeys;
};

/** Only the members given change. */
export type GroupUpdate = {
    enabled?: boolean;
    autoApprove?: boolean;
    refuseOlderLeaf?: boolean;
    reprovisionPolicy?: ReprovisionPolicy;
    /** `{"tags":{…},"properties":{"desired":{…}}}`; null: none. */
    initialTwin?: Record<string, unknown> | null;
    /** null: the server's own (see /allocation). */
    allocationPolicy?: "hashed" | "geoLatency" | "static" | "custom" | null;
    /** Host names in order; empty: all that are linked. One that is not linked is taken, with a warning. */
    iotHubs?: string[] | null;
    customAllocationDefinition?: CustomAllocationDefinition | null;
    /** The operator's own words, kept in the audit event. */
    reason?: string;
};

export type GroupCertificateSet = {
    /** PEM, base64 of DER, or base64 of PEM text; one certificate, no private key. */
    certificate: string;
    /** `staged`: the certificate in the slot attests until the new one is verified. `replaceNow`: at once, trust in the old one is withdrawn. `breach`: at once, and the old key goes on the distrust list. */
    mode?: "staged" | "replaceNow" | "breach";
    /** The operator vouches for the CA: no proof of possession. */
    vouch?: boolean;
    /** Takes a certificate that could never attest. */
    force?: boolean;
    /** The operator's own words, kept in the audit event. */
    reason?: string;
};

export type GroupCertificatesSet = {
    /** PEM, base64 of DER, or base64 of PEM text; one certificate, no private key. */
    primary: string;
    /** PEM, base64 of DER, or base64 of PEM text; one certificate, no private key. */
    secondary: string;
    /** Both slots change at once in either mode. */
    mode: "replaceNow" | "breach";
    vouch?: boolean;
    force?: boolean;
    /** The operator's own words, kept in the audit event. */
    reason?: string;
};

export type PossessionCode = {
    /** 48 upper-case hex characters: the CN of the verification certificate. */
    code: string;
    /** Key of the CA certificate record. */
    caCertificate: string;
    /** The CA that has to sign. */
    sha256Thumbprint: string;
};

export type Proof = {
    /** The verification certificate: CN is the code, signed directly by the CA. */
    certificate: string;
    /** The operator's own words, kept in the audit event. */
    reason?: string;
};

export type CaProof = {
    /** The verification certificate. This or `vouch`. */
    certificate?: string;
    /** The operator vouches instead. */
    vouch?: boolean;
    /** The operator's own words, kept in the audit event. */
    reason?: string;
};

export type CaCertificateAdd = {
    /** Unique without case; empty for an unnamed record. */
    name?: string;
    /** PEM, base64 of DER, or base64 of PEM text; one certificate, no private key. */
    certificate: string;
    vouch?: boolean;
    force?: boolean;
    /** The operator's own words, kept in the audit event. */
    reason?: string;
};

/** An empty body counts as `{}`. */
export type Action = {
    /** The operator's own words, kept in the audit event. */
    reason?: string;
};

export type Impact = {
    /** Known devices that last proved themselves with what would go and have no other way in. */
    devices: number;
    first: string[];
};

/** What a change would do. Nothing was changed. */
export type Preview = {
    dryRun: true;
    /** What becomes of the certificate: `first` (the slot was empty), `same-certificate`, `same-key-renewed`, `cross-signed` (same subject and key, another issuer), `new-key`, `removal`; `none` where no certificate is concerned. */
    change: "first" | "same-certificate" | "same-key-renewed" | "cross-signed" | "new-key" | "removal" | "none";
    incoming: Certificate[];
    outgoing: Certificate[];
    /** The incoming certificate would wait to be verified; nothing goes until then. */
    pending: boolean;
    distrusts: string[];
    impact: Impact;
    findings: Finding[];
    warnings: string[];
    summary: string[];
};

export type CertificateAdoption = {
    slot: Slot;
    sha256Thumbprint: string;
    certificate: Certificate | null;
    /** `current`, `pending` or `gone` from that slot. */
    standing: "current" | "pending" | "gone";
    /** Registrations whose last proof rested on it. */
    devices: number;
};

export type GroupAdoption = {
    group: string;
    /** All registrations of the group. */
    devices: number;
    certificates: CertificateAdoption[];
};

export type LeafSlots = {
    primary: Certificate | null;
    secondary: Certificate | null;
};

export type Enrollment = {
    registrationId: string;
    /** Null: the registration id. */
    deviceId: string | null;
    enabled: boolean;
    /** How its devices prove themselves. */
    attestation: "x509" | "symmetricKey";
    /** Null: it attests by certificate. */
    keyIds: KeyIds | null;
    certificates: LeafSlots;
    reprovisionPolicy: ReprovisionPolicy;
    /** `{"tags":{…},"properties":{"desired":{…}}}`; null: none. */
    initialTwin: Record<string, unknown> | null;
    /** null: the server's own (see /allocation). */
    allocationPolicy: "hashed" | "geoLatency" | "static" | "custom" | null;
    /** Host names in order; empty: all that are linked. */
    iotHubs: string[];
    customAllocationDefinition: CustomAllocationDefinition | null;
    etag: string;
    created: string;
    updated: string;
};

export type EnrollmentPage = {
    items: Enrollment[];
    /** `after` of the next page; null: this was the last. */
    next: string | null;
};

export type EnrollmentChange = {
    enrollment: Enrollment;
    findings: Finding[];
    warnings: string[];
};

export type EnrollmentCreate = {
    registrationId: string;
    deviceId?: string | null;
    enabled?: boolean;
    certificates?: {
        /** PEM, base64 of DER, or base64 of PEM text; one certificate, no private key. */
        primary?: string;
        /** PEM, base64 of DER, or base64 of PEM text; one certificate, no private key. */
        secondary?: string;
    };
    reprovisionPolicy?: ReprovisionPolicy;
    /** `{"tags":{…},"properties":{"desired":{…}}}`; null: none. */
    initialTwin?: Record<string, unknown> | null;
    /** null: the server's own (see /allocation). */
    allocationPolicy?: "hashed" | "geoLatency" | "static" | "custom" | null;
    /** Host names in order; empty: all that are linked. One that is not linked is taken, with a warning. */
    iotHubs?: string[] | null;
    customAllocationDefinition?: CustomAllocationDefinition | null;
    force?: boolean;
    /** The operator's own words, kept in the audit event. */
    reason?: string;
    symmetricKey?: NewKeys;
};

/** Only the members given change. */
export type EnrollmentUpdate = {
    deviceId?: string | null;
    enabled?: boolean;
    /** Slots that are not named stay; both together are one change. */
    certificates?: {
        /** A leaf certificate; null empties the slot. */
        primary?: string | null;
        /** A leaf certificate; null empties the slot. */
        secondary?: string | null;
    };
    /** `plain`: refuses the old leaf from now on and closes nothing. `replaceNow`: trust in it is withdrawn. `breach`: and its key goes on the distrust list. */
    mode?: "plain" | "replaceNow" | "breach";
    reprovisionPolicy?: ReprovisionPolicy;
    /** `{"tags":{…},"properties":{"desired":{…}}}`; null: none. */
    initialTwin?: Record<string, unknown> | null;
    /** null: the server's own (see /allocation). */
    allocationPolicy?: "hashed" | "geoLatency" | "static" | "custom" | null;
    /** Host names in order; empty: all that are linked. One that is not linked is taken, with a warning. */
    iotHubs?: string[] | null;
    customAllocationDefinition?: CustomAllocationDefinition | null;
    force?: boolean;
    /** The operator's own words, kept in the audit event. */
    reason?: string;
};

export type EnrollmentCertificateSet = {
    /** PEM, base64 of DER, or base64 of PEM text; one certificate, no private key. */
    certificate: string;
    /** `plain`: refuses the old leaf from now on and closes nothing. `replaceNow`: trust in it is withdrawn. `breach`: and its key goes on the distrust list. */
    mode?: "plain" | "replaceNow" | "breach";
    force?: boolean;
    /** The operator's own words, kept in the audit event. */
    reason?: string;
};

/** The entry attests by symmetric key. `{}`: both keys are made up. */
export type NewKeys = {
    /** 16 to 64 bytes in base64; null or not given: one is made up. */
    primaryKey?: string | null;
    /** 16 to 64 bytes in base64; null or not given: one is made up. */
    secondaryKey?: string | null;
};

/** What tells keys apart without giving them away: SHA-256 over a label and the key. */
export type KeyIds = {
    primary: string;
    secondary: string;
};

export type KeySet = {
    /** 16 to 64 bytes in base64; null or not given: one is made up. */
    key?: string | null;
    /** plain: closes nothing. replaceNow: trust in the old key is withdrawn. breach: and it goes on the distrust list. */
    mode?: "plain" | "replaceNow" | "breach";
    reason?: string;
};

/** In base64, in clear. */
export type Keys = {
    primaryKey: string;
    secondaryKey: string;
};

export type KeyDerivation = {
    registrationId: string;
    reason?: string;
};

export type Entry = {
    kind: "individual" | "group";
    id: string;
};

/** One successful proof and its outcome. */
export type Adoption = {
    operationId: string;
    at: string;
    entry: Entry;
    slot: Slot;
    /** By symmetric key: thumbprints are ids of keys, the device's as leaf, the slot's as CA. */
    attestation: "x509" | "symmetricKey";
    /** The slot's certificate; of an individual enrollment the leaf itself. */
    caSha256Thumbprint: string;
    leafSha256Thumbprint: string;
    leafSpkiSha256: string;
    serialNumber: string;
    notBefore: string | null;
    notAfter: string | null;
    key: string;
    signatureAlgorithm: string;
    /** Certificates as sent. */
    chainLength: number;
    /** Relied on a certificate that the device did not send. */
    completed: boolean;
    /** To an older leaf than its last. */
    wentBack: boolean;
    protocol: "https" | "mqtt" | "mqtt-ws" | "amqp" | "amqp-ws";
    apiVersion: string;
    userAgent: string;
    tlsVersion: string;
    tlsCipher: string;
    status: RegistrationStatus;
    /** Empty where there is none. */
    substatus: string;
    /** 0: no error. */
    errorCode: number;
    errorMessage: string;
};

export type RegistrationStatus = "unassigned" | "assigning" | "assigned" | "failed" | "disabled";

export type Registration = {
    registrationId: string;
    deviceId: string;
    assignedHub: string;
    status: RegistrationStatus;
    substatus: string;
    errorCode: number;
    errorMessage: string;
    /** What its allocation webhook gave for the device. */
    payload: Record<string, unknown> | null;
    /** How many there have been. */
    registrations: number;
    last: Adoption;
    etag: string;
    created: string;
    updated: string;
};

export type RegistrationPage = {
    items: Registration[];
    /** `after` of the next page; null: this was the last. */
    next: string | null;
};

/** `history`: the newest first. */
export type RegistrationDetail = Registration & {
    history: Adoption[];
    lastRefusal: Refusal | null;
};

export type JudgedCertificate = {
    role: "end-entity" | "intermediate" | "anchor";
    /** False: completed from the store. */
    sent: boolean;
    certificate: Certificate;
    findings: Finding[];
};

/** `entry`: the one that decided, if one did. */
export type Refusal = {
    registrationId: string;
    at: string;
    /** Stable word: `name-mismatch`, `unverified-ca`, `certificate-fault`, `no-group`. */
    cause: string;
    /** What happened, one sentence with the values. */
    explanation: string;
    /** What would mend it. */
    fix: string;
    /** What the device was told. */
    errorCode: number;
    /** What the device was told. */
    errorMessage: string;
    entry: Entry | null;
    verdict: Verdict;
    protocol: string;
    apiVersion: string;
    userAgent: string;
    tlsVersion: string;
    tlsCipher: string;
    peerAddress: string;
};

/** `sent`: the chain as the device sent it. `path`: the attempt that came furthest, end entity first, each certificate with all that was found on it. `findings`: on the path as a whole. */
export type Verdict = {
    /** The decisive finding in one line; empty where the chain itself is good. */
    reason: string;
    sent: Certificate[];
    path: JudgedCertificate[];
    findings: Finding[];
};

export type RefusalPage = {
    items: Refusal[];
    /** `after` of the next page; null: this was the last. */
    next: string | null;
};

export type Explanation = {
    registrationId: string;
    registration: Registration | null;
    refusal: Refusal | null;
    /** One sentence for people. */
    summary: string;
};

export type DeviceState = "registered" | "provisioned" | "waiting-for-approval" | "blocked";

export type Device = {
    id: string;
    registrationId: string;
    state: DeviceState;
    approved: boolean;
    blocked: boolean;
    /** The leaf it last registered with. */
    leafSha256Thumbprint: string | null;
    entry: Entry | null;
    etag: string;
    created: string;
    updated: string;
};

export type ListedDevice = Device & {
    /** Its id where it has no name. */
    displayName: string;
    /** It has a session at the hub now. */
    connected: boolean;
    lastRegistered: string | null;
    /** The slot it last proved itself by. */
    slot: Slot | null;
    /** When the certificate it last came with ends. */
    leafNotAfter: string | null;
};

export type DevicePage = {
    items: ListedDevice[];
    /** `after` of the next page; null: this was the last. */
    next: string | null;
    /** With `total=true`: how many there are on all pages. */
    total?: number;
};

export type DeviceDetail = Device & {
    registration: Registration | null;
    history: Adoption[];
    lastRefusal: Refusal | null;
};

export type Distrusted = {
    /** The key: SHA-256 of the SubjectPublicKeyInfo. */
    spkiSha256: string;
    /** Of the certificate it was taken from; may be empty. */
    subject: string;
    reason: string;
    by: string;
    at: string;
};

export type DistrustedPage = {
    items: Distrusted[];
    /** `after` of the next page; null: this was the last. */
    next: string | null;
};

export type DistrustAdd = {
    /** A certificate with the key. This or `spkiSha256`. */
    certificate?: string;
    /** 64 hex characters, either case. */
    spkiSha256?: string;
    reason: string;
};

export type AuditEvent = {
    /** From 1, without gaps; of a pruned log from behind the checkpoint. */
    sequence: number;
    at: string;
    actor: string;
    /** An address, or `local`. */
    source: string;
    /** `group.certificate.set`. */
    action: string;
    /** `group/fleet-a`. */
    object: string;
    detail: Record<string, unknown> | null;
    reason: string;
    /** Hash of the event before. */
    previous: string;
    hash: string;
    /** The text of `detail` that the hash is over, where it is spelled otherwise than `detail` here. */
    detailText?: string;
};

export type AuditPage = {
    items: AuditEvent[];
    /** `after` of the next page; null: this was the last. */
    next: string | null;
};

export type AuditVerification = {
    intact: boolean;
    /** Sound ones, from the first that is there. */
    events: number;
    /** Sequence of the first event that is not as it was written. */
    brokenAt: number | null;
    /** What is wrong; empty where nothing is. */
    detail: string;
    /** Sequence of the last event that was pruned. */
    prunedUpTo: number | null;
};

export type Token = {
    name: string;
    role: Role;
    /** central: as an API token of IoT Central, sent as it is in the header Authorization. */
    form: "bearer" | "central";
    created: string;
    createdBy: string;
    expires: string | null;
    /** To within a minute; null: never. */
    lastUsed: string | null;
};

export type TokenPage = {
    items: Token[];
    /** `after` of the next page; null: this was the last. */
    next: string | null;
};

export type Policy = {
    name: string;
    rights: ("ServiceConfig" | "EnrollmentRead" | "EnrollmentWrite" | "DeviceConnect" | "RegistrationStatusRead" | "RegistrationStatusWrite" | "RegistryRead" | "RegistryWrite")[];
    created: string;
    createdBy: string;
    updated: string;
};

export type PolicyWithKeys = Policy & {
    primaryKey: string;
    secondaryKey: string;
    /** `HostName=…;SharedAccessKeyName=…;SharedAccessKey=…`, for tools. */
    primaryConnectionString: string;
    secondaryConnectionString: string;
};

export type PolicyPage = {
    items: Policy[];
    /** `after` of the next page; null: this was the last. */
    next: string | null;
};

export type PolicyCreate = {
    /** As group ids; no token may have it. */
    name: string;
    rights: ("ServiceConfig" | "EnrollmentRead" | "EnrollmentWrite" | "DeviceConnect" | "RegistrationStatusRead" | "RegistrationStatusWrite" | "RegistryRead" | "RegistryWrite")[];
    /** The operator's own words, kept in the audit event. */
    reason?: string;
};

export type TokenCreate = {
    /** As group ids. */
    name: string;
    role?: Role;
    form?: "bearer" | "central";
    /** None: no end; in the form central a year from now. */
    expires?: string | null;
    /** The operator's own words, kept in the audit event. */
    reason?: string;
};

export type TokenCreated = Token & {
    /** The secret; shown this once. */
    token: string;
};

export type Deleted = {
    /** What is gone, as the audit names it: `group/fleet-a`. */
    deleted: string;
    warnings: string[];
};

export type Door = {
    /** `device-https`, `operator`, `metrics`. */
    name: string;
    /** `127.0.0.1:8443`. */
    address: string;
};

export type Server = {
    scopeId: string;
    /** What devices get as assignedHub. */
    hub: string;
    version: string;
    started: string;
    time: string;
    doors: Door[];
    /** Whom the server takes the caller for: one with a role, or with the rights of a shared access policy. */
    caller: {
        name: string;
        role?: string;
        rights?: ("ServiceConfig" | "EnrollmentRead" | "EnrollmentWrite" | "DeviceConnect" | "RegistrationStatusRead" | "RegistrationStatusWrite" | "RegistryRead" | "RegistryWrite")[];
        source: string;
    };
    /** Names by which devices reach the doors. */
    names: string[];
    /** PEM of the local CA that signs the server's certificate; null where that came from elsewhere. */
    serverCa: string | null;
};

/** Whether the device has a session at the hub now. */
export type Connection = {
    connected: boolean;
    protocol?: string;
    address?: string;
    userAgent?: string;
    since?: string;
};

export type Twin = {
    deviceId: string;
    /** Empty until the twin is changed first. */
    etag: string;
    tags: Record<string, unknown>;
    properties: {
        desired: Record<string, unknown>;
        reported: Record<string, unknown>;
    };
};

/** Merge patches (RFC 7396): null deletes. */
export type TwinPatch = {
    tags?: Record<string, unknown>;
    properties?: {
        desired?: Record<string, unknown>;
    };
    /** The operator's own words, kept in the audit event. */
    reason?: string;
};

/** `bodyBase64` instead of `body` where it is not text. */
export type MessageToDevice = {
    messageId: string;
    number: number;
    enqueued: string;
    expires: string;
    properties: Record<string, string | null>;
    systemProperties: Record<string, string | null>;
    body?: string;
    bodyBase64?: string;
};

export type MessageList = {
    items: MessageToDevice[];
};

export type NewMessage = {
    body?: string;
    /** Instead of `body`. */
    bodyBase64?: string;
    messageId?: string;
    correlationId?: string;
    contentType?: string;
    contentEncoding?: string;
    properties?: Record<string, string | null>;
    timeToLiveSeconds?: number;
    /** The operator's own words, kept in the audit event. */
    reason?: string;
};

export type Purged = {
    removed: number;
};

export type MethodCall = {
    /** Any JSON value. */
    payload?: Record<string, unknown>;
    timeoutSeconds?: number;
    /** The operator's own words, kept in the audit event. */
    reason?: string;
};

export type MethodAnswer = {
    /** The device's own. */
    status: number;
    /** What the device answered; null: nothing. */
    payload: Record<string, unknown>;
};

export type TelemetryRecord = {
    sequence: number;
    deviceId: string;
    at: string;
    properties: Record<string, string | null>;
    systemProperties: Record<string, string | null>;
    body?: string;
    bodyBase64?: string;
};

export type TelemetryPage = {
    items: TelemetryRecord[];
    /** `after` of the next question. */
    next: number;
    /** The oldest record that is still kept; 0: none. */
    oldest: number;
};

/** Each may all that those after it may; docs/access.md says what that is. */
export type Role = "administrator" | "builder" | "operator" | "viewer";

export type User = {
    /** A key that never changes. */
    id: string;
    /** To sign in by; unique without case. Of `openid` the email. */
    name: string;
    /** How the user proves to be it. The last two are kept for the IoT Central API and do not sign in. */
    kind: "local" | "openid" | "servicePrincipal" | "adGroup";
    role: Role;
    /** The OpenID provider's claim decides the role at each sign-in. */
    roleByClaim: boolean;
    enabled: boolean;
    /** At the OpenID provider, once the user came from there. */
    identity: {
        issuer: string;
        subject: string;
    } | null;
    tenantId: string;
    objectId: string;
    created: string;
    createdBy: string;
    updated: string;
};

export type UserPage = {
    items: User[];
    /** `after` of the next page; null: this was the last. */
    next: string | null;
};

export type UserCreate = {
    /** Letters, digits and - . _ @ + : '; of `openid` an email. */
    name: string;
    kind?: "local" | "openid";
    role: Role;
    /** Of a local user, which needs one. */
    password?: string;
    /** The operator's own words, kept in the audit event. */
    reason?: string;
};

export type UserUpdate = {
    role?: Role;
    /** false ends the user's sessions. */
    enabled?: boolean;
    /** Of a local user; ends the user's sessions. */
    password?: string;
    /** The operator's own words, kept in the audit event. */
    reason?: string;
};

export type Session = {
    id: string;
    /** Address that signed in. */
    source: string;
    userAgent: string;
    created: string;
    /** To about a minute. */
    used: string;
    /** The one that asks. */
    current: boolean;
};

export type SessionList = {
    items: Session[];
    next: null;
};

export type WhoAsks = {
    /** As the audit log names it: `user:ann`, `token:ci`. */
    caller: string;
    /** null: a policy's rights count. */
    role: Role | null;
    /** What it may; each operation tells in `x-permission` which it needs. */
    permissions: string[];
    user: User | null;
    /** null: it came with a token or by the socket. */
    session: Session | null;
    /** What every change made with the cookie repeats in the header `X-Rollcall-CSRF`. */
    csrf: string | null;
};

export type SignIn = {
    name: string;
    password: string;
};

export type OwnPassword = {
    current: string;
    /** The new one. */
    password: string;
};

/** A place in the audit log, signed with Ed25519 over the lines `rollcall audit seal 1`, kind, scopeId, sequence, hash in lower case and `at` in microseconds since 1970, joined by line feeds. */
export type AuditSeal = {
    kind: "head" | "checkpoint";
    scopeId: string;
    /** Of the last event up to there; 0 before the first. */
    sequence: number;
    /** Of that event. */
    hash: string;
    at: string;
    /** 32 bytes in hex. A server's never changes. */
    publicKey: string;
    /** 64 bytes in base64. */
    signature: string;
};

export type AuditSeals = {
    head: AuditSeal;
    /** The last event that was pruned; null where none was. */
    checkpoint: AuditSeal | null;
};

export type AuditPrune = {
    /** Events from then on stay; not in the future. */
    before: string;
    /** The operator's own words, kept in the audit event. */
    reason?: string;
};

export type AuditPruned = {
    /** How many went. */
    events: number;
    head: AuditSeal;
    /** The last event that was pruned; null where none was. */
    checkpoint: AuditSeal | null;
};

export type EnrollmentImport = {
    entries: {
        registrationId: string;
        attestation: Record<string, unknown>;
    }[];
    /** The operator's own words, kept in the audit event. */
    reason?: string;
};

export type GroupImport = {
    entries: {
        enrollmentGroupId: string;
        attestation: Record<string, unknown>;
    }[];
    /** The operator's own words, kept in the audit event. */
    reason?: string;
};

export type DeviceImport = {
    entries: {
        id: string;
        displayName?: string;
        template?: string;
        enabled?: boolean;
        simulated?: boolean;
        organizations?: string[];
    }[];
    /** The operator's own words, kept in the audit event. */
    reason?: string;
};

export type ImportOutcome = {
    /** In the order of the request. */
    entries: ({
        /** As it was given; empty where there was none. */
        id: string;
        /** `completed`: it was there without a certificate. `there`: as it should be. `differs`: it is there, otherwise, and was left alone. */
        outcome: "made" | "completed" | "there" | "differs" | "refused";
        /** Of a refusal: a stable word, as in a Problem. */
        code?: string;
        /** Of a refusal: what is wrong. */
        detail?: string;
        /** Settings in which it differs. */
        differences?: string[];
        findings?: Finding[];
        warnings?: string[];
    })[];
};

export type Overview = {
    time: string;
    /** When devices were counted: one count serves for some seconds, and longer for large fleets. */
    counted: string;
    devices: {
        total: number;
        registered: number;
        provisioned: number;
        waitingForApproval: number;
        blocked: number;
    };
    groups: number;
    enrollments: number;
    caCertificates: number;
    distrusted: number;
    sessions: {
        total: number;
    };
    /** The last 60 whole minutes since the start, the oldest first. */
    registrationsPerMinute: {
        minute: string;
        assigned: number;
        refused: number;
    }[];
    /** Of the newest 1000, by cause, the most frequent first. */
    refusals: {
        cause: string;
        count: number;
        lastAt: string;
        lastRegistrationId: string;
        explanation: string;
        fix: string;
    }[];
    /** Who rests on which CA, or which symmetric key (`sha256Thumbprint` is its id), in which slot of which group: at most 200, those with most devices first; then devices with enrollments of their own, together, with `group: null`. */
    adoption: ({
        group: string | null;
        /** How the devices of the group prove themselves. `null` beside `group: null`: they have certificates or keys of their own. */
        attestation: "x509" | "symmetricKey" | null;
        slot: "primary" | "secondary";
        sha256Thumbprint: string | null;
        subject: string | null;
        notAfter: string | null;
        standing: "current" | "pending" | "gone";
        devices: number;
    })[];
    /** Days (UTC) on which certificates end: of CAs, and those that devices last came with. */
    expiries: {
        day: string;
        caCertificates: number;
        deviceCertificates: number;
    }[];
};

export type SignInMethods = {
    password: boolean;
    openId: {
        start: string;
    } | null;
};

export type Inspection = {
    certificate: Certificate;
    findings: Finding[];
};

export type CertificateInspection = {
    /** PEM, or base64 of DER or PEM. */
    certificate: string;
    as?: "ca" | "device";
    /** Of the enrollment that a device's certificate is for. */
    registrationId?: string;
};
