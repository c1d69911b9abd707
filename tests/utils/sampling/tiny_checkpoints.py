"""Checkpoint folders of the random models in `tiny_architectures`, with tokenizer and processor, for integrations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from medqdeg.utils.models.architectures import tiny_processor, tiny_tokenizer

from .tiny_architectures import SIDE, configuration, random_model

_PIXELS = {"image_mean": (0.5, 0.5, 0.5), "image_std": (0.5, 0.5, 0.5)}
_SQUARE = {"height": SIDE, "width": SIDE}

# Written for these checkpoints; `{image}` is the architecture's own mark of an image.
_TEMPLATE = """\
{%- for message in messages -%}
    {{- message['role'] | upper + ': ' -}}
    {%- if message['content'] is string -%}
        {{- message['content'] -}}
    {%- else -%}
        {%- for part in message['content'] -%}
            {%- if part['type'] == 'image' -%}{{- 'IMAGE' -}}
            {%- elif part['type'] == 'text' -%}{{- part['text'] -}}{%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{- '\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- 'ASSISTANT: ' -}}{%- endif -%}
"""


def _tokenizer(special: dict[str, str], image: str, **more: Any) -> Any:
    """One token per byte, and the special tokens, which stand as attributes under their names."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={token: index for index, token in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<pad>", "</s>", *special.values()])
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="</s>", pad_token="<pad>", extra_special_tokens=special,
        clean_up_tokenization_spaces=False, model_max_length=4096, chat_template=_TEMPLATE.replace("IMAGE", image),
        model_input_names=["input_ids", "attention_mask"], **more,
    )  # fmt: skip


def _processor(name: str) -> Any:
    match name:
        case "qwen2_5_vl":
            return tiny_processor(name, tiny_tokenizer(name))
        case "qwen2_vl":
            like = tiny_processor("qwen2_5_vl", tiny_tokenizer("qwen2_5_vl"))
            return transformers.Qwen2VLProcessor(
                like.image_processor, like.tokenizer, like.video_processor, chat_template=like.chat_template
            )
        case "llava":
            tokenizer = _tokenizer({"image_token": "<image>"}, "<image>")
            return transformers.LlavaProcessor(
                transformers.CLIPImageProcessor(**_PIXELS, size=_SQUARE, crop_size=_SQUARE), tokenizer, patch_size=14,
                vision_feature_select_strategy="default", num_additional_image_tokens=1,
                chat_template=tokenizer.chat_template,
            )  # fmt: skip
        case "llava_onevision":
            tokenizer = _tokenizer({"image_token": "<image>", "video_token": "<video>"}, "<image>")
            image = transformers.LlavaOnevisionImageProcessor(
                **_PIXELS, size=_SQUARE, image_grid_pinpoints=[[SIDE, SIDE]]
            )
            video = transformers.LlavaOnevisionVideoProcessor(**_PIXELS, size=_SQUARE)
            return transformers.LlavaOnevisionProcessor(
                image, tokenizer, video, num_image_tokens=4, vision_feature_select_strategy="full",
                chat_template=tokenizer.chat_template,
            )  # fmt: skip
        case "internvl":
            special = {"start_image_token": "<img>", "end_image_token": "</img>"}
            special |= {"context_image_token": "<IMG_CONTEXT>", "video_token": "<video>"}
            tokenizer = _tokenizer(special, "<IMG_CONTEXT>\\n")
            image = transformers.GotOcr2ImageProcessor(**_PIXELS, size=_SQUARE, crop_to_patches=False)
            return transformers.InternVLProcessor(
                image, tokenizer, transformers.InternVLVideoProcessor(**_PIXELS, size=_SQUARE), image_seq_length=4,
                chat_template=tokenizer.chat_template,
            )  # fmt: skip
        case "gemma3":  # its integration fills prompts up, and the published tokenizers do so on the left
            special = {"boi_token": "<start_of_image>", "eoi_token": "<end_of_image>", "image_token": "<image_soft>"}
            tokenizer = _tokenizer(special, "<start_of_image>", padding_side="left")
            image = transformers.Gemma3ImageProcessor(**_PIXELS, size=_SQUARE)
            return transformers.Gemma3Processor(
                image, tokenizer, image_seq_length=4, chat_template=tokenizer.chat_template
            )
    raise ValueError(name)


_IDS = {
    "image_token_id": ("<|image_pad|>", "<image>", "<IMG_CONTEXT>", "<image_soft>"),
    "image_token_index": ("<image>", "<image_soft>"),
    "video_token_id": ("<|video_pad|>", "<video>"),
    "video_token_index": ("<video>",),
    "vision_start_token_id": ("<|vision_start|>",),
    "vision_end_token_id": ("<|vision_end|>",),
    "boi_token_index": ("<start_of_image>",),
    "eoi_token_index": ("<end_of_image>",),
}


def write_checkpoint(folder: Path, name: str, dtype: torch.dtype) -> Path:
    """Write a checkpoint and return its folder."""
    processor = _processor(name)
    tokenizer = processor.tokenizer
    known = tokenizer.get_vocab()
    config = configuration(name)
    for owner in (config, config.text_config):
        owner.eos_token_id, owner.pad_token_id = tokenizer.eos_token_id, tokenizer.pad_token_id
    config.text_config.vocab_size = len(tokenizer)
    config.text_config.max_position_embeddings = 4096
    for attribute, tokens in _IDS.items():
        for token in tokens:
            if token in known and hasattr(config, attribute):
                setattr(config, attribute, known[token])
    if name == "llava":
        config.image_seq_length, config.vision_feature_select_strategy = 4, "default"
    model = random_model(config).to(dtype)
    model.generation_config = transformers.GenerationConfig(
        do_sample=True, top_k=0, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id
    )
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
