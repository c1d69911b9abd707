"""Stock vision-language architectures at a tiny size: configuration, tokenizer, chat template and processor.

Everything of a checkpoint but its weights, for architectures that transformers and lmms-eval know under the
names in `ARCHITECTURES`, made without a download. What fills the weights decides what the model is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedTokenizerFast, ProcessorMixin

__all__ = ["ARCHITECTURES", "tiny_config", "tiny_processor", "tiny_tokenizer"]

_CONTEXT = 32768
_PATCH = 14
_LLAVA_IMAGE_SIDE = 112
_PIXELS = {"image_mean": (0.5, 0.5, 0.5), "image_std": (0.5, 0.5, 0.5)}


@dataclass(frozen=True)
class _Dialect:
    """What a checkpoint's text looks like: special tokens and the chat template (Jinja)."""

    special_tokens: tuple[str, ...]
    eos: str
    pad: str
    chat_template: str


# Both templates take what the integrations pass: `content` as a string, or as a list of text and image parts.
# They are written for these checkpoints; only the special tokens are those of the architecture.
_DIALECTS = {
    "qwen2_5_vl": _Dialect(
        special_tokens=(
            "<|endoftext|>",
            "<|im_start|>",
            "<|im_end|>",
            "<|vision_start|>",
            "<|vision_end|>",
            "<|image_pad|>",
            "<|video_pad|>",
        ),
        eos="<|im_end|>",
        pad="<|endoftext|>",
        chat_template="""\
{%- for message in messages -%}
    {{- '<|im_start|>' + message['role'] + '\\n' -}}
    {%- if message['content'] is string -%}
        {{- message['content'] -}}
    {%- else -%}
        {%- for part in message['content'] -%}
            {%- if part['type'] == 'image' -%}
                {{- '<|vision_start|><|image_pad|><|vision_end|>' -}}
            {%- elif part['type'] == 'video' -%}
                {{- '<|vision_start|><|video_pad|><|vision_end|>' -}}
            {%- elif part['type'] == 'text' -%}
                {{- part['text'] -}}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{- '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{- '<|im_start|>assistant\\n' -}}
{%- endif -%}
""",
    ),
    "llava": _Dialect(
        special_tokens=("<pad>", "</s>", "<image>"),
        eos="</s>",
        pad="<pad>",
        chat_template="""\
{%- for message in messages -%}
    {{- message['role'] | upper + ': ' -}}
    {%- if message['content'] is string -%}
        {{- message['content'] -}}
    {%- else -%}
        {%- for part in message['content'] -%}
            {%- if part['type'] == 'image' -%}
                {{- '<image>\\n' -}}
            {%- elif part['type'] == 'text' -%}
                {{- part['text'] -}}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{- eos_token + '\\n' if message['role'] == 'assistant' else '\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{- 'ASSISTANT: ' -}}
{%- endif -%}
""",
    ),
}

ARCHITECTURES: tuple[str, ...] = tuple(_DIALECTS)
"""`model_type` in transformers; lmms-eval's integrations for them are `qwen2_5_vl` and `llava_hf`."""


def tiny_tokenizer(architecture: str) -> PreTrainedTokenizerFast:
    """A byte-level tokenizer: one token per UTF-8 byte, no merges, and the architecture's special tokens.

    Nothing is downloaded or trained, every text round-trips, and a letter is the same token wherever it
    stands.
    """
    import transformers
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    dialect = _DIALECTS[architecture]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={token: index for index, token in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(dialect.special_tokens))
    tokenizer_class = transformers.PreTrainedTokenizerFast
    if architecture == "qwen2_5_vl" and transformers.__version__.startswith("4."):
        # Its processor accepted nothing else before transformers 5.
        tokenizer_class = transformers.Qwen2TokenizerFast
    return tokenizer_class(
        tokenizer_object=tokenizer,
        eos_token=dialect.eos,
        pad_token=dialect.pad,
        chat_template=dialect.chat_template,
        clean_up_tokenization_spaces=False,
        model_max_length=_CONTEXT,
        # Else transformers 4 adds token_type_ids, which LLaVA's `generate` refuses.
        model_input_names=["input_ids", "attention_mask"],
    )


def tiny_config(architecture: str, tokenizer: PreTrainedTokenizerFast) -> PreTrainedConfig:
    """A configuration of about 0.2 million parameters for the tokenizer's vocabulary."""
    import transformers

    text = {
        "vocab_size": len(tokenizer),
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": _CONTEXT,
        "bos_token_id": None,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    vision = {"hidden_size": 32, "intermediate_size": 64, "patch_size": _PATCH}
    if architecture == "qwen2_5_vl":
        token = tokenizer.convert_tokens_to_ids
        return transformers.Qwen2_5_VLConfig(
            architectures=["Qwen2_5_VLForConditionalGeneration"],
            dtype="bfloat16",
            text_config={
                **text,
                "rope_theta": 1e6,
                # Rotary pairs for time, height and width: half the head's 16 dimensions.
                "rope_scaling": {"type": "mrope", "mrope_section": [2, 3, 3]},
            },
            vision_config={
                **vision,
                "depth": 1,
                "num_heads": 2,
                "out_hidden_size": text["hidden_size"],
                "fullatt_block_indexes": [0],
            },
            image_token_id=token("<|image_pad|>"),
            video_token_id=token("<|video_pad|>"),
            vision_start_token_id=token("<|vision_start|>"),
            vision_end_token_id=token("<|vision_end|>"),
            tie_word_embeddings=False,
        )
    return transformers.LlavaConfig(
        architectures=["LlavaForConditionalGeneration"],
        dtype="float32",
        text_config=transformers.LlamaConfig(**text, tie_word_embeddings=False),
        vision_config=transformers.CLIPVisionConfig(
            **vision, num_hidden_layers=1, num_attention_heads=2, image_size=_LLAVA_IMAGE_SIDE
        ),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        image_seq_length=(_LLAVA_IMAGE_SIDE // _PATCH) ** 2,
        vision_feature_layer=-1,
        tie_word_embeddings=False,
    )


def tiny_processor(architecture: str, tokenizer: PreTrainedTokenizerFast) -> ProcessorMixin:
    """Image processor and tokenizer in one, as `AutoProcessor` loads them.

    Qwen2.5-VL keeps the aspect ratio and makes one visual token of 28 x 28 pixels; LLaVA resizes the whole
    image (no crop) to a square of 112 pixels, 64 visual tokens.
    """
    import transformers

    template = _DIALECTS[architecture].chat_template
    if architecture == "qwen2_5_vl":
        return transformers.Qwen2_5_VLProcessor(
            image_processor=transformers.Qwen2VLImageProcessor(**_PIXELS, patch_size=_PATCH),
            tokenizer=tokenizer,
            video_processor=transformers.Qwen2VLVideoProcessor(**_PIXELS, patch_size=_PATCH),
            chat_template=template,
        )
    square = {"height": _LLAVA_IMAGE_SIDE, "width": _LLAVA_IMAGE_SIDE}
    return transformers.LlavaProcessor(
        image_processor=transformers.CLIPImageProcessor(**_PIXELS, size=square, crop_size=square),
        tokenizer=tokenizer,
        patch_size=_PATCH,
        vision_feature_select_strategy="default",
        # CLIP puts a class token before the patches; the strategy above takes it away again.
        num_additional_image_tokens=1,
        chat_template=template,
    )
