#!/usr/bin/env bash
# Makes certificates of a local server: an authority, and three certificates that it signed: for 127.0.0.1,
# for another name, and an expired one.
# The keys protect nothing. Needs openssl; certificates as PEM, keys as DER (PKCS#8).
set -euo pipefail
cd "$(dirname "$0")"
here=$PWD
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
cd "$work"
touch index.txt
cat > ca.cnf <<END
[ca]
default_ca = own
[own]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
END
key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key"; }
key authority
openssl req -new -key authority.key -subj "/CN=surmise test authority" -out authority.csr
openssl ca -batch -config ca.cnf -selfsign -keyfile authority.key -in authority.csr -extensions authority \
    -startdate 20200101000000Z -enddate 21200101000000Z -notext -out "$here/authority.pem"
sign() { # name, subject alternative name, end
    key "$1"
    openssl req -new -key "$1.key" -subj "/CN=surmise test $1" -addext "subjectAltName=$2" \
        -addext "extendedKeyUsage=serverAuth" -out "$1.csr"
    openssl ca -batch -config ca.cnf -cert "$here/authority.pem" -keyfile authority.key -in "$1.csr" \
        -startdate 20200101000000Z -enddate "$3" -notext -out "$here/$1.pem"
    openssl pkcs8 -topk8 -nocrypt -in "$1.key" -outform DER -out "$here/$1.key.der"
}
sign server IP:127.0.0.1 21200101000000Z
sign other DNS:other.example 21200101000000Z
sign expired IP:127.0.0.1 20200201000000Z
