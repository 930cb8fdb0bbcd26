// SPDX-License-Identifier: Apache-2.0
// Commands to copy. They are exact: what stands here has been run.

export const verificationWithRollcall = (code: string): string =>
    `rollcall pki verification --code ${code} --issuer root.pem --issuer-key root.key --out proof.pem`;

export const verificationWithOpenssl = (code: string): string =>
    "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \\\n" +
    `    -keyout proof.key -subj "/CN=${code}" -out proof.csr\n` +
    "openssl x509 -req -in proof.csr -CA root.pem -CAkey root.key -CAcreateserial \\\n" +
    "    -days 1 -sha256 -out proof.pem";

/** The three steps to the first device. */
export const first = {
    make:
        "rollcall pki ca --cn 'Plant Root' --out pki/root\n" +
        "rollcall group create plant-a\n" +
        "rollcall group cert set plant-a primary pki/root.pem",
    prove:
        "CODE=$(rollcall group cert code plant-a primary)\n" +
        "rollcall pki verification --code $CODE --issuer pki/root --out pki/proof.pem\n" +
        "rollcall group cert verify plant-a primary pki/proof.pem",
    connect: (scope: string, https: string, ownCa: boolean): string =>
        "rollcall pki leaf --cn sensor-1 --issuer pki/root --out pki/sensor-1\n" +
        `curl ${ownCa ? "--cacert rollcall-ca.pem " : ""}--cert pki/sensor-1.pem --key pki/sensor-1.key \\\n` +
        "    -X PUT -H 'Content-Type: application/json' -d '{\"registrationId\":\"sensor-1\"}' \\\n" +
        `    'https://${https}/${scope}/registrations/sensor-1/register?api-version=2021-06-01'`,
};
