"""The command of a run, written down without what must not be."""

from __future__ import annotations

from medqdeg.utils.base.command_record import public_command

KEY = "sk-abcdefgh12345678"


def test_a_command_can_be_typed_again() -> None:
    arguments = ["--model_args", "pretrained=a b,device=cpu", "--limit", "3"]
    environment = {"MEDQDEG_DATA": "/sets/own set", "HOME": "/home/x", "MEDQDEG_CACHE": "/c"}
    found = public_command(arguments, environment, "python -m lmms_eval")
    assert found == (
        "MEDQDEG_DATA='/sets/own set' python -m lmms_eval --model_args 'pretrained=a b,device=cpu' --limit 3"
    )


def test_secrets_are_struck_out_wherever_they_stand() -> None:
    arguments = [
        *("--model_args", f"base_url=http://u:{KEY}@host,api_key={KEY}"),
        *("--api_key", KEY, f"--token={KEY}", "--hf_hub_log_args", f"hub_results_org=x,token={KEY}"),
        *("--wandb_args", f"key={KEY}", "--header", f"Authorization: Bearer {KEY}"),
    ]
    found = public_command(arguments, {"MEDQDEG_API_KEY": "plain words", "MEDQDEG_DATA": "a/b"}, "lm_eval")
    assert KEY not in found
    assert "base_url=http://" in found
    assert "hub_results_org=x" in found
    assert found.startswith("MEDQDEG_API_KEY='***' MEDQDEG_DATA=a/b lm_eval ")
