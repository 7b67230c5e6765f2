"""The local certificate authorities and the server's certificate, made at the first start and renewed by themselves.

kubectl sends no bearer token over plain HTTP, so the API answers TLS too, on the same port. The authority of client
certificates is another than the server's: who may speak for the server must not name users.
"""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from portway.apiserver.users import Peer, authenticated, split_account
from portway.bootstrap.errors import StartError

_CA_DAYS = 3650
_TITLES = {"ca": "Portway local authority", "client-ca": "Portway client authority"}
_SERVER_DAYS = 397
_RENEW_BEFORE_DAYS = 30


@dataclass(frozen=True, slots=True)
class Own:
    """A certificate that the operator brings."""

    certificate: Path
    key: Path


def server_context(
    folder: Path, now: datetime.datetime, names: Sequence[str] = (), own: Own | None = None
) -> ssl.SSLContext:
    """TLS context of the server; makes ``ca.crt``, ``ca.key``, ``server.crt``, ``server.key`` as needed (0600).

    Clients may show a certificate of ``client-ca.crt``; one of another authority ends the handshake. ``own`` is served
    to those who ask for the server by a name; by address and as localhost it goes on with the local one. Raises
    StartError when what is there cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        ca_key, ca = _authority(folder, now)
        _authority(folder, now, "client-ca")
        wanted = _names(names)
        if _expires_soon(folder / "server.crt", now) or not _covers(folder / "server.crt", wanted):
            _issue_server(folder, ca_key, ca, now, wanted)
    except ValueError as error:
        raise StartError(
            f"The certificates in {folder} cannot be read. Move the folder away and start again: new ones are made."
        ) from error
    context = _context(folder, Own(folder / "server.crt", folder / "server.key"))
    if own is not None:
        theirs = _context(folder, own)

        def choose(connection: ssl.SSLSocket | ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
            if name and name != "localhost":
                connection.context = theirs

        context.sni_callback = choose
    return context


def _context(folder: Path, served: Own) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(served.certificate, served.key)
    except (ssl.SSLError, OSError) as error:
        raise StartError(f"{served.certificate} and {served.key} are no certificate with its key: {error}.") from None
    context.verify_mode = ssl.CERT_OPTIONAL
    context.load_verify_locations(folder / "client-ca.crt")
    context.set_alpn_protocols(["http/1.1"])
    return context


def peer_of(connection: ssl.SSLObject | None) -> Peer | None:
    """Of the certificate that the client showed and the handshake verified, if it did."""
    shown = connection.getpeercert(binary_form=True) if connection is not None else None
    return _peer(x509.load_der_x509_certificate(shown)) if shown else None


def _peer(certificate: x509.Certificate) -> Peer | None:
    """Common name → user, organizations → groups, as upstream."""
    names = _values(certificate, NameOID.COMMON_NAME)
    if not names or not names[0] or split_account(names[0]):
        return None  # the name of a service account means another in each workspace
    user = authenticated(names[0], tuple(_values(certificate, NameOID.ORGANIZATION_NAME)))
    fingerprint = certificate.fingerprint(hashes.SHA256()).hex()
    extra = {"authentication.kubernetes.io/credential-id": (f"X509SHA256={fingerprint}",)}
    return Peer(replace(user, extra=extra), f"{certificate.serial_number:x}")


def _values(certificate: x509.Certificate, field: x509.ObjectIdentifier) -> list[str]:
    return [str(attribute.value) for attribute in certificate.subject.get_attributes_for_oid(field)]


@dataclass(frozen=True, slots=True)
class Issued:
    """A client certificate, as PEM text with its key."""

    certificate: str
    key: str
    serial: str
    """Hexadecimal."""
    expires: datetime.datetime


def issue_client(
    folder: Path, name: str, groups: Sequence[str], life: datetime.timedelta, now: datetime.datetime
) -> Issued:
    """For a user in groups."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    ca_key, ca = _authority(folder, now, "client-ca")
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            *(x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )
    certificate = (
        _builder(subject, ca.subject, key, now, life)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    return Issued(
        certificate.public_bytes(serialization.Encoding.PEM).decode(),
        _pem(key).decode(),
        f"{certificate.serial_number:x}",
        certificate.not_valid_after_utc,
    )


def _authority(
    folder: Path, now: datetime.datetime, stem: str = "ca"
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key_file, certificate_file = folder / f"{stem}.key", folder / f"{stem}.crt"
    if key_file.exists() and not _expires_soon(certificate_file, now):
        key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return key, x509.load_pem_x509_certificate(certificate_file.read_bytes())
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _TITLES[stem])])
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    certificate = (
        _builder(name, name, key, now, datetime.timedelta(days=_CA_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(key_file, _pem(key))
    _write(certificate_file, certificate.public_bytes(serialization.Encoding.PEM))
    if stem == "ca":
        (folder / "server.crt").unlink(missing_ok=True)
    return key, certificate


def _issue_server(
    folder: Path,
    ca_key: ec.EllipticCurvePrivateKey,
    ca: x509.Certificate,
    now: datetime.datetime,
    names: Sequence[x509.GeneralName],
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "portway")])
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    certificate = (
        _builder(name, ca.subject, key, now, datetime.timedelta(days=_SERVER_DAYS))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(authority, critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    _write(folder / "server.key", _pem(key))
    _write(folder / "server.crt", certificate.public_bytes(serialization.Encoding.PEM))


def _names(given: Sequence[str]) -> list[x509.GeneralName]:
    return [_general(name) for name in dict.fromkeys(("localhost", "127.0.0.1", "::1", *given))]


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _covers(file: Path, names: Sequence[x509.GeneralName]) -> bool:
    certificate = x509.load_pem_x509_certificate(file.read_bytes())
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return set(names) <= set(found)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    now: datetime.datetime,
    life: datetime.timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + life)
    )


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _expires_soon(file: Path, now: datetime.datetime) -> bool:
    if not file.exists():
        return True
    certificate = x509.load_pem_x509_certificate(file.read_bytes())
    return certificate.not_valid_after_utc - now < datetime.timedelta(days=_RENEW_BEFORE_DAYS)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(file: Path, content: bytes) -> None:
    temporary = file.with_suffix(file.suffix + ".new")
    temporary.touch(mode=0o600)
    temporary.write_bytes(content)
    temporary.rename(file)
