"""Configs of many architectures, each so small that a model of random weights takes no time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import transformers as hf
from tiny_models import CONTEXT, GPT2_LIKE, GROUPED, IDS, INNER, LAYERS, LLAMA_LIKE, WIDTH

PADDED = {**GROUPED, "pad_token_id": 0}  # whose own padding token lies beyond 64 words
EXPERTS = {"num_experts_per_tok": 2}
LOCAL = {"num_local_experts": 4, **EXPERTS}
SMALL_EXPERTS = {"moe_intermediate_size": 16, **EXPERTS}
GPT2 = {**GPT2_LIKE, "initializer_range": 0.15}
WORDS_AND_WIDTH = {"vocab_size": 64, "hidden_size": WIDTH, "num_hidden_layers": LAYERS}
LATENT = {  # keys and values by way of a small vector
    **GROUPED,
    "num_key_value_heads": 4,
    "q_lora_rank": 16,
    "kv_lora_rank": 16,
    "qk_rope_head_dim": 8,
    "qk_nope_head_dim": 8,
    "v_head_dim": 8,
    "n_routed_experts": 4,
    "first_k_dense_replace": 1,
    **SMALL_EXPERTS,
}
FAIRSEQ = {"vocab_size": 64, "ffn_dim": INNER, "max_position_embeddings": CONTEXT, "init_std": 0.15, **IDS}
FAIRSEQ |= {"pad_token_id": 1}

ARCHITECTURES: dict[str, Callable[[], Any]] = {
    "apertus": lambda: hf.ApertusConfig(**GROUPED),
    "arcee": lambda: hf.ArceeConfig(**GROUPED),
    "bloom": lambda: hf.BloomConfig(
        vocab_size=64, hidden_size=WIDTH, n_layer=LAYERS, n_head=4, initializer_range=0.15, **IDS
    ),
    "codegen": lambda: hf.CodeGenConfig(**GPT2, rotary_dim=4),
    "cohere": lambda: hf.CohereConfig(**PADDED),
    "cohere2": lambda: hf.Cohere2Config(**PADDED, sliding_window=32),
    "deepseek-v2": lambda: hf.DeepseekV2Config(**LATENT),
    "deepseek-v3": lambda: hf.DeepseekV3Config(**LATENT, n_group=1, topk_group=1),
    "ernie4.5": lambda: hf.Ernie4_5Config(**PADDED, head_dim=8),
    "exaone4": lambda: hf.Exaone4Config(**GROUPED),
    "falcon": lambda: hf.FalconConfig(
        vocab_size=64,
        hidden_size=WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=4,
        initializer_range=0.15,
        **IDS,
    ),
    "gemma": lambda: hf.GemmaConfig(**GROUPED, head_dim=8),
    "gemma2": lambda: hf.Gemma2Config(**GROUPED, head_dim=8, sliding_window=32),
    "gemma3": lambda: hf.Gemma3TextConfig(**GROUPED, head_dim=8, sliding_window=8),
    "glm": lambda: hf.GlmConfig(**GROUPED, head_dim=8),
    "glm4": lambda: hf.Glm4Config(**GROUPED, head_dim=8),
    "gpt2": lambda: hf.GPT2Config(**GPT2),
    "gpt-bigcode": lambda: hf.GPTBigCodeConfig(**GPT2),
    "gpt-j": lambda: hf.GPTJConfig(**GPT2, rotary_dim=4),
    "gpt-neo": lambda: hf.GPTNeoConfig(
        vocab_size=64,
        hidden_size=WIDTH,
        num_layers=LAYERS,
        num_heads=4,
        attention_types=[[["global", "local", "global"], 1]],
        max_position_embeddings=CONTEXT,
        window_size=8,
        initializer_range=0.15,
        **IDS,
    ),
    "gpt-neox": lambda: hf.GPTNeoXConfig(**LLAMA_LIKE),
    "gpt-oss": lambda: hf.GptOssConfig(**GROUPED, **LOCAL, head_dim=8, sliding_window=32),
    "granite": lambda: hf.GraniteConfig(**GROUPED),
    "granite-moe": lambda: hf.GraniteMoeConfig(**GROUPED, **LOCAL),
    "hunyuan": lambda: hf.HunYuanDenseV1Config(**GROUPED, head_dim=8),
    "llama": lambda: hf.LlamaConfig(**GROUPED),
    "mamba": lambda: hf.MambaConfig(**WORDS_AND_WIDTH, state_size=8, initializer_range=0.15, **IDS),
    "mamba2": lambda: hf.Mamba2Config(
        **WORDS_AND_WIDTH,
        state_size=8,
        num_heads=8,
        head_dim=8,
        n_groups=1,
        chunk_size=8,
        **{**IDS, "pad_token_id": 0},
    ),
    "mistral": lambda: hf.MistralConfig(**GROUPED, sliding_window=8),
    "mixtral": lambda: hf.MixtralConfig(**GROUPED, **LOCAL),
    "mpt": lambda: hf.MptConfig(
        vocab_size=64, d_model=WIDTH, n_heads=4, n_layers=LAYERS, max_seq_len=CONTEXT, initializer_range=0.15, **IDS
    ),
    "nemotron": lambda: hf.NemotronConfig(**GROUPED),
    "olmo": lambda: hf.OlmoConfig(**GROUPED),
    "olmo2": lambda: hf.Olmo2Config(**GROUPED),
    "olmo3": lambda: hf.Olmo3Config(**GROUPED, sliding_window=8),
    "olmoe": lambda: hf.OlmoeConfig(**GROUPED, **EXPERTS, num_experts=4),
    "opt": lambda: hf.OPTConfig(
        hidden_size=WIDTH, word_embed_proj_dim=WIDTH, num_hidden_layers=LAYERS, num_attention_heads=4, **FAIRSEQ
    ),
    "phi": lambda: hf.PhiConfig(**GROUPED),
    "phi3": lambda: hf.Phi3Config(**PADDED),
    "qwen2": lambda: hf.Qwen2Config(**GROUPED),
    "qwen2-moe": lambda: hf.Qwen2MoeConfig(
        **GROUPED, **SMALL_EXPERTS, num_experts=4, shared_expert_intermediate_size=16
    ),
    "qwen3": lambda: hf.Qwen3Config(**GROUPED, head_dim=8),
    "qwen3-moe": lambda: hf.Qwen3MoeConfig(**GROUPED, **SMALL_EXPERTS, num_experts=4, head_dim=8),
    "seed-oss": lambda: hf.SeedOssConfig(**GROUPED, head_dim=8),
    "smollm3": lambda: hf.SmolLM3Config(**PADDED),
    "stablelm": lambda: hf.StableLmConfig(**GROUPED),
    "starcoder2": lambda: hf.Starcoder2Config(**GROUPED),
    "xglm": lambda: hf.XGLMConfig(d_model=WIDTH, num_layers=LAYERS, attention_heads=4, **FAIRSEQ),
}
LACKING: dict[str, Callable[[], Any]] = {  # decoders of transformers that TransformerLens does not wrap
    "biogpt": lambda: hf.BioGptConfig(
        **WORDS_AND_WIDTH, num_attention_heads=4, intermediate_size=INNER, **{**IDS, "pad_token_id": 1}
    ),
    "helium": lambda: hf.HeliumConfig(**PADDED, head_dim=8),
    "ministral": lambda: hf.MinistralConfig(**GROUPED, head_dim=8, sliding_window=32),
    "persimmon": lambda: hf.PersimmonConfig(**GROUPED),
}
RECURRENT = ("mamba", "mamba2")
EXPERT_BLOCKS = {  # those that are mixtures of experts, which have no one vector after the nonlinearity
    **dict.fromkeys(("gpt-oss", "granite-moe", "mixtral", "olmoe", "qwen2-moe", "qwen3-moe"), range(LAYERS)),
    **dict.fromkeys(("deepseek-v2", "deepseek-v3"), range(1, LAYERS)),
}
