"""Secrets in arguments: struck out wherever they hide, and nothing else with them."""

from __future__ import annotations

import json

import pytest

from medqdeg.utils.base.secrets import arguments_by_name, is_secret, public_arguments, without_secrets
from medqdeg.utils.sampling.settings import parse_settings

HUSH = "hush-hush-123"


@pytest.mark.parametrize(
    "name",
    [
        *("api_key", "apikey", "api-key", "API_KEY", "apiKey", "openai_api_key", "OPENAI_API_KEY", "x-api-key", "key"),
        *("token", "hf_token", "access-token", "accessToken", "use_auth_token", "secret", "client_secret"),
        *("password", "passwd", "db_password", "pwd", "passphrase", "authorization", "Authorization", "bearer"),
        *("credentials", "headers", "default_headers", "extra-headers", "cookie", "auth", "signature"),
    ],
)
def test_names_of_secrets(name: str) -> None:
    assert is_secret(name)
    assert HUSH not in public_arguments(f"pretrained=some/model,{name}={HUSH},device=cpu")
    assert HUSH not in json.dumps(without_secrets({"outer": [{name: HUSH}]}))


@pytest.mark.parametrize(
    "name",
    [
        *("pretrained", "max_new_tokens", "max_tokens", "tokenizer", "eos_token", "image_token", "keyword", "monkey"),
        *("device_map", "author", "num_concurrent", "base_url", "max_pixels", "cluster_key", "authority"),
    ],
)
def test_names_of_no_secrets(name: str) -> None:
    assert not is_secret(name)
    assert public_arguments(f"{name}=7,a=b") == f"{name}=7,a=b"


@pytest.mark.parametrize(
    "text",
    [
        f"base_url=https://user:{HUSH}@host:8000/v1,a=b",
        f"base_url=https://{HUSH}@host/v1",
        f"base_url=https://host/v1?x=1&api_key={HUSH}&y=2",
        f'headers={{"Authorization": "Bearer {HUSH}", "X": [1, 2]}},a=b',
        f'extra={{"deep": {{"deeper": [{{"apikey": "{HUSH}"}}]}}}}',
        f"extra={{'headers': {{'X-Api-Key': '{HUSH}'}}}}",
        f'extra="{{\\"api_key\\": \\"{HUSH}\\"}}"',
        f"note=Bearer {HUSH}",
        f"note=Authorization: Basic {HUSH}",
        f"password={HUSH} with blanks",
        f"passwd='{HUSH}, with a comma',a=b",
        f"API-KEY = {HUSH}",
    ],
)
def test_secrets_in_values(text: str) -> None:
    assert HUSH not in public_arguments(text)
    assert "hush" not in public_arguments(text)
    assert "with" not in public_arguments(text)
    assert "hush" not in without_secrets(text)


def test_keys_of_well_known_shapes_need_no_name() -> None:
    for key in ("sk-" + "a1" * 10, "hf_" + "a1" * 12, "ghp_" + "a1" * 12, "AKIA" + "A1" * 8):
        assert key not in public_arguments(f"model=some/model,what={key}")


def test_what_is_no_secret_stays_to_the_letter() -> None:
    for text in (
        "pretrained=/data/models/Qwen2.5-VL-7B-Instruct,device_map=auto,max_pixels=12845056,use_flash=True",
        "model=org/model:free,base_url=http://localhost:8000/v1,num_concurrent=8",
        "inner=llava_hf,store=C:\\runs\\store,pretrained=a b c",
        "",
    ):
        assert public_arguments(text) == text
    value = {"temperature": 1.0, "until": [], "nested": {"a": None, "b": [True, 2]}, "text": "Answer: B; why? x=1"}
    assert without_secrets(value) == value


def test_nothing_hides_below_the_depth_that_is_looked_into() -> None:
    deep: object = {"api_key": HUSH}
    for _ in range(300):
        deep = [deep]
    assert HUSH not in json.dumps(without_secrets(deep))


def test_arguments_come_apart_at_commas_outside_brackets() -> None:
    found = arguments_by_name('a=1,b={"x": 1, "y": [2, 3]},c="p,q",d=e=f')
    assert found == {"a": "1", "b": '{"x": 1, "y": [2, 3]}', "c": '"p,q"', "d": "e=f"}


def test_the_wrapper_uses_the_same_rule() -> None:
    settings = parse_settings(["inner=openai", f"apikey={HUSH}", f"base_url=https://u:{HUSH}@h/v1", "model=m"])
    assert HUSH not in settings.public_arguments()
    assert settings.public_arguments().endswith("model=m")
