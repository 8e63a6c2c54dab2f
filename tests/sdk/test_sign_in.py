"""Does MSAL sign in at the world as it does at Microsoft, and understand why it may not?"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable

import msal
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from conftest import APP, SECRET, TENANT, World

GRAPH = ["https://graph.microsoft.com/.default"]
SECRETS = "        secrets:\n          - value: world-app-secret\n"


def client(credential: object, tenant: str = TENANT, app: str = APP) -> msal.ConfidentialClientApplication:
    return msal.ConfidentialClientApplication(
        app,
        authority=f"https://login.microsoftonline.com/{tenant}",
        client_credential=credential,
    )


def certificate() -> tuple[x509.Certificate, str, str]:
    """A certificate, itself and its key as PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "backstay")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return made, made.public_bytes(serialization.Encoding.PEM).decode(), private.decode()


def test_a_secret_brings_a_token_that_is_kept(world: World) -> None:
    app = client(SECRET)
    first = app.acquire_token_for_client(GRAPH)
    assert first["token_type"] == "Bearer", first
    assert 3000 < first["expires_in"] <= 3599
    again = app.acquire_token_for_client(GRAPH)
    assert again["access_token"] == first["access_token"]
    assert len(world.calls(f"/{TENANT}/oauth2/v2.0/token")) == 1


def test_a_tenant_is_found_by_its_domain(world: World) -> None:
    assert "access_token" in client(SECRET, "contoso.com").acquire_token_for_client(GRAPH)
    with pytest.raises(ValueError, match=r"double check your tenant"):
        client(SECRET, "fabrikam.com").acquire_token_for_client(GRAPH)


@pytest.mark.parametrize("thumbprint", ["sha1", "sha256"])
def test_a_certificate_brings_a_token(start: Callable[..., World], thumbprint: str) -> None:
    made, pem, private = certificate()
    # JSON is YAML.
    start((SECRETS, f"{SECRETS}        certificates:\n          - pem: {json.dumps(pem)}\n"))
    if thumbprint == "sha1":
        credential = {"private_key": private, "thumbprint": made.fingerprint(hashes.SHA1()).hex()}
    else:
        credential = {"private_key": private, "public_certificate": pem}
    got = client(credential).acquire_token_for_client(GRAPH)
    assert "access_token" in got, got


def test_a_certificate_that_is_not_registered_is_refused(world: World) -> None:
    _, pem, private = certificate()
    got = client({"private_key": private, "public_certificate": pem}).acquire_token_for_client(GRAPH)
    assert got["error"] == "invalid_client"
    assert 700027 in got["error_codes"]


def test_a_wrong_secret_is_told_by_its_code(world: World) -> None:
    got = client("guessed").acquire_token_for_client(GRAPH)
    assert got["error"] == "invalid_client"
    assert got["error_codes"] == [7000215]
    assert got["error_description"].startswith("AADSTS7000215: Invalid client secret provided.")


def test_an_app_that_is_not_there_is_told_by_its_code(world: World) -> None:
    got = client(SECRET, app="c0ffee00-0000-4000-8000-000000000000").acquire_token_for_client(GRAPH)
    assert got["error"] == "unauthorized_client"
    assert got["error_codes"] == [700016]
