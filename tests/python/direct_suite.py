# SPDX-License-Identifier: Apache-2.0
"""The functions of nvFuser's own tests of its direct API for which no machinery exists here, by what is missing."""

# What is missing first -> names of the functions; a name that two files have stands with its file.
WITHOUT = {
    "reshape": """test_tensor_ndim test_execute_with_tuple_and_list test_dynamic_reshape test_reshape_dynamic
        test_empty_reshape test_mark_alias_pass test_replaced_sizes_pr2714 test_bcast_squeeze_replace_aliased_output
        test_issue1273 test_issue1393 test_issue1691 test_ws_tma_normalization1 test_ws_tma_normalization2
        test_ws_tma_normalization3 test_ws_tma_normalization4 test_ws_tma_normalization5 test_ca_map_concrete_loop_id
        test_tutorial_id_model_reshape_analysis test_nanogpt_split_mha_linears test_reshape_squeeze_concretization
        test_sum_sliced_reshape_to_broadcast""",
    "slice, pad, cat": """test_cat test_issue1246 test_issue2545 test_domain_map_hang test_pad_prior_cat test_issue4444
        test_reduction_reference_missing_input_ids test_cat_symbolic test_litgpt_variants_gpt_neox_like test_issue3292
        test_loop_promotion_cyclic_war test_reshape_cancellation test_issue2275_repro2 test_pad test_pad_dynamic
        test_pad_expanded_empty test_issue4459 test_issue1953 test_issue1277 test_slice_error_checks test_slice
        test_issue4888 test_issue1872 test_issue2395 test_issue2755 test_issue3192""",
    "matrix products": """test_linear_without_bias test_linear_with_bias test_linear test_linear_slice
        test_matmul.test_matmul test_matmul_operandA_2d_operandB_3d test_matmul_stride test_enable_disable_options
        test_fusion_profiler_with_noncodegen_kernels test_issue2275_repro1 test_issue2317 test_issue2354 test_issue2532
        test_issue3369 test_issue5377 test_triangle_attention""",
    "index_select, select, scatter, embeddings, triu": """test_index_select test_index_select_scalar_indices test_select
        test_allocation_domain_index_select test_issue1129 test_embedding test_scatter_output_intermediate
        test_scatter_scalar_src test_triu""",
    "random numbers": """test_cat_qwen2_v2 test_normal test_deterministic_random test_random_distinct_values
        test_nanogpt_mha_dpa test_uniform_range test_uniform""",
    "scans": "test_cummax test_cummin test_cumprod test_cumsum",
    "attention": "test_softmax_logsumexp test_sdpa_fwd test_sdpa_fwd_bias_mask test_sdpa_bwd test_sdpa_fwd_bwd",
    "schedules written by hand": """test_fusion_profiler_user_scheduled test_tutorial_memcpy
        test_tutorial_memcpy_scheduled test_tutorial_reduction test_tutorial_reduction_rfactor test_tutorial_reshape
        test_tutorial_basic_tma_example1 test_tutorial_basic_tma_example2 test_tutorial_basic_tma_example3
        test_tutorial_basic_tma_example4 test_tutorial_basic_tma_example5 test_tutorial_basic_tma_example6
        test_tutorial_vectorize_store_pointwise_tma test_tutorial_pointwise_broadcast_tma
        test_tutorial_tma_bank_conflict_free_transpose test_tutorial_compute_heuristics_and_schedule
        test_tutorial_pointwise_auto_scheduler test_tutorial_reduction_auto_scheduler
        test_tutorial_inner_persistent_auto_scheduler test_tutorial_scheduling_layer_norm_with_profiling
        test_warp_specialized_circular_buffering_pointwise test_pdl""",
    "kernels run without an executor cache": """test_fusion_execution_cache test_kernel_executor test_issue2853
        test_single_segment_multi_device""",
    "streams within a program": "test_stream.test_matmul test_two_matmuls_inlinable test_two_matmuls_not_inlinable",
    "narrow formats of Blackwell": """test_cutlass_nvfp4_grouped_mm test_block_quantize_op_and_layout_op
        test_grouped_block_quantize_op test_layout_op_and_cutlass_nvfp4_grouped_mm test_nv_quantization_to_mxfp8
        test_nv_block_quantization_vs_te test_scaled_mm_nv_quantized test_scaled_mm test_grouped_mm test_mxfp8_gemm
        test_nvfp4_gemm test_nvfp4_gemm_epilogue test_nvfp4_grouped_mm test_packed_fp4 test_fp4_vectorization""",
    "a second GPU": "test_execute_with_different_device",
}
FUNCTIONS = 231
