"""The signature: over the bytes of Content as they came, whatever stands around them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.webhooks.signature import NoNotification, WrongSignature, opened

SECRET = "test-secret"
CODE = b"359B6496151DEDE8020CEB0C9392309BE85E70AE791C4CBA29F79903278832C9"
CONTENT = (
    b'{"Topic":"SalesOrders","ClientId":"11111111-2222-3333-4444-555555555555","Division":123456,"Action":"Update",'
    b'"Key":"aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee","ExactOnlineEndpoint":"https://start.exactonline.nl/api/v1/123456/'
    b'salesorder/SalesOrders(guid\'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee\')","EventCreatedOn":"2026-11-20T09:15:00.123"}'
)
BODY = b'{"Content":' + CONTENT + b',"HashCode":"' + CODE + b'"}'
# Signed with an independent program: printf '%s' "$CONTENT" | openssl dgst -sha256 -hmac test-secret
ESCAPED = b'{"Key":"https:\\/\\/x","Topic":"Items","Division":1}'
ESCAPED_CODE = b"F8CF0DFFF33702D5056B21849659F206B387967F08673466F8CE78A43F746585"


@pytest.mark.parametrize(
    "body",
    [
        BODY,
        BODY.replace(CODE, CODE.lower()),
        BODY.replace(CODE, CODE[:30].lower() + CODE[30:]),
        b"\xef\xbb\xbf" + BODY,
        b"\r\n " + BODY + b"\n",
        b'{"HashCode":"' + CODE + b'","Content":' + CONTENT + b"}",
        b'{ "Content" : ' + CONTENT + b' , "HashCode" : "' + CODE + b'" }',
        BODY[:-1] + b',"Attempt":2}',
    ],
    ids=["as sent", "lower", "mixed", "byte-order mark", "blanks", "other order", "blanks inside", "one more member"],
)
def test_what_is_signed_is_opened_whatever_stands_around_it(body: bytes):
    signed = opened(body, SECRET.encode())
    assert (signed.content.encode(), signed.hash_code) == (CONTENT, CODE.decode())
    assert (signed.said["Topic"], signed.said["Division"]) == ("SalesOrders", 123456)


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(json.loads(BODY)).encode(),
        json.dumps(json.loads(BODY), indent=2).encode(),
        json.dumps({"Content": json.loads(CONTENT), "HashCode": CODE.decode()}, sort_keys=True).encode(),
        BODY.replace(b"https://", b"https:\\/\\/"),
        BODY.replace(b"Update", b"Delete"),
        BODY.replace(CODE, CODE[:-1] + b"8"),
        BODY.replace(CODE, CODE[:-1]),
        BODY.replace(CODE, b""),
        BODY.replace(CODE, b"\xc3\xa9" * 32),
        BODY.replace(CODE, b"\\ud800" * 4),
        BODY.replace(b'"' + CODE + b'"', b"null"),
        BODY.replace(b'"' + CODE + b'"', b"12"),
        b'{"Content":' + CONTENT + b"}",
        b'{"Content":{}}',
    ],
    ids=[
        "re-serialised",
        "re-serialised with breaks",
        "re-serialised and sorted",
        "other escapes",
        "another action",
        "one letter off",
        "one letter short",
        "empty",
        "not ASCII",
        "half a letter",
        "null",
        "a number",
        "no HashCode",
        "nothing at all",
    ],
)
def test_any_other_bytes_have_another_signature(body: bytes):
    with pytest.raises(WrongSignature):
        opened(body, SECRET.encode())


@pytest.mark.parametrize(
    "body",
    [
        b"x",
        b"{}",
        b"[]",
        b"null",
        b'"Content"',
        b"{" + BODY + b"}",
        BODY + BODY,
        BODY[:-1],
        BODY[1:],
        BODY + b"\0",
        b'{"HashCode":"' + CODE + b'"}',
        b'{"Content":"text","HashCode":"' + CODE + b'"}',
        b'{"Content":[],"HashCode":"' + CODE + b'"}',
        b'{"Content":' + CONTENT + b',"Content":' + CONTENT + b',"HashCode":"' + CODE + b'"}',
        b'{"content":' + CONTENT + b',"HashCode":"' + CODE + b'"}',
        b'{"Content":' + b"[" * 50_000,
        b'{"Content":' + b"9" * 60_000,
        BODY.decode().encode("utf-16"),
        b"\xff\xfe\xfd",
        b"\xef\xbb\xbf",
    ],
)
def test_what_is_no_notification_is_told_apart(body: bytes):
    with pytest.raises(NoNotification):
        opened(body, SECRET.encode())


def test_escaped_slashes_are_signed_as_they_came():
    body = b'{"Content":' + ESCAPED + b',"HashCode":"' + ESCAPED_CODE + b'"}'
    assert opened(body, SECRET.encode()).content.encode() == ESCAPED


def test_another_secret_opens_nothing():
    with pytest.raises(WrongSignature):
        opened(BODY, b"test-secret ")


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_whatever_comes_unsigned_is_refused_in_one_of_two_ways(body: bytes):
    with pytest.raises((NoNotification, WrongSignature)):
        opened(body, b"secret")


@given(st.data())
def test_a_changed_byte_of_content_is_never_taken(data: st.DataObject):
    place = data.draw(st.integers(len(b'{"Content":'), len(BODY) - len(CODE) - 16))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != BODY[place]))
    with pytest.raises((NoNotification, WrongSignature)):
        opened(BODY[:place] + bytes([byte]) + BODY[place + 1 :], SECRET.encode())
