"""The reference model before training: configuration, tokenizer, processor, initial weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...phantoms import GENERATORS
from ..architectures import tiny_tokenizer

if TYPE_CHECKING:
    from transformers import LlavaConfig, LlavaProcessor, PreTrainedTokenizerFast

IMAGE_SIDE = 128
_STRIDE = 32
"""A visual token stands for 32 x 32 pixels: Swin's patches are 4 pixels wide and merged three times."""
VISUAL_TOKENS = (IMAGE_SIDE // _STRIDE) ** 2

OPTION_MARKS: tuple[str, ...] = tuple(f"{letter}. " for letter in "ABCDE")
"""What stands before an option in the prompt, each one token."""

_ROLES = ("USER: ", "ASSISTANT: ")

Prompt = Callable[[Mapping[str, Any]], str]
"""Turns an item (question, letters, options) into the prompt's text."""


def vocabulary(prompt: Prompt) -> list[str]:
    """Return the texts that are one token each: what every prompt says, the phantoms' stems and answers.

    Any other text is read byte by byte, and the model has not learnt to read bytes.
    """
    instructions = prompt({"question": "", "letters": [], "options": []}).split("\n")
    questions = [question for generator in GENERATORS.values() for question in generator.questions]
    phrases = [text for question in questions for text in (question.stem, *question.answers)]
    return list(dict.fromkeys([*_ROLES, *filter(None, instructions), *phrases]))


def reference_tokenizer(phrases: Sequence[str]) -> PreTrainedTokenizerFast:
    """Return the byte-level tokenizer of LLaVA's dialect, enlarged by whole phrases."""
    tokenizer = tiny_tokenizer("llava")
    tokenizer.add_tokens([*OPTION_MARKS, *phrases])
    return tokenizer


def reference_config(tokenizer: PreTrainedTokenizerFast) -> LlavaConfig:
    """Return a configuration of about three million parameters."""
    import transformers

    vision = transformers.SwinConfig(
        image_size=IMAGE_SIDE,
        patch_size=4,
        embed_dim=40,
        depths=[2, 2, 2, 2],
        num_heads=[1, 2, 4, 8],
        window_size=4,
        mlp_ratio=2.0,
        drop_path_rate=0.0,
        # Windows alone know only where things lie to each other; left and right are asked about.
        use_absolute_embeddings=True,
    )
    text = transformers.LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=160,
        intermediate_size=320,
        num_hidden_layers=3,
        num_attention_heads=5,
        num_key_value_heads=5,
        max_position_embeddings=4096,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return transformers.LlavaConfig(
        architectures=["LlavaForConditionalGeneration"],
        dtype="float32",
        vision_config=vision,
        text_config=text,
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        image_seq_length=VISUAL_TOKENS,
        vision_feature_layer=-1,
        vision_feature_select_strategy="full",
        tie_word_embeddings=True,
    )


def reference_processor(tokenizer: PreTrainedTokenizerFast) -> LlavaProcessor:
    """Return the processor: the whole image is resized to a square of 128 pixels, without a crop."""
    import transformers

    square = {"height": IMAGE_SIDE, "width": IMAGE_SIDE}
    return transformers.LlavaProcessor(
        image_processor=transformers.CLIPImageProcessor(
            size=square, crop_size=square, image_mean=(0.5, 0.5, 0.5), image_std=(0.5, 0.5, 0.5)
        ),
        tokenizer=tokenizer,
        patch_size=_STRIDE,
        vision_feature_select_strategy="full",
        num_additional_image_tokens=0,
        chat_template=tokenizer.chat_template,
    )
