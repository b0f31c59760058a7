# SPDX-License-Identifier: Apache-2.0
"""Every name of nvFuser's direct Python API 0.2.36 outside of its operations, and why those that are absent are."""

from nvfuser.absent import ABSENT, ABSENT_MEMBERS

# Owner -> its members; the first row are functions and classes of the package itself.
PACKAGE = """
translate_fusion compute_tensor_descriptor define_tensor define_scalar validate_with_auto_inferred_outputs
get_val_tolerances get_fusion_profile reset_profiler execute_with_dtensors version __version__
Statement Val Expr IterDomain TensorDomain TensorView Split Merge BroadcastOp ReshapeOp SqueezeOp Fusion FusionGuard
FusionExecutorCache KernelExecutor CompileParams LaunchParams HeuristicParams PointwiseParams ReductionParams
MatmulParams GemmTile MatMulTileOptions CircularBufferOptions SupportedVectorization ClusterDims MmaMacroEncode MmaMacro
KernelProfile FusionProfile PythonProfiler LRUCache FusionDefinition LruFusionCache
ops schedule multidevice idm nvf_cutlass pytorch_utils benchmark_utils nvfuser_direct_version
DataType ParallelType SchedulerType LoadStoreOpType MemoryType CacheOp CommunicatorBackend IdMappingMode
MatmulTilingStrategy MatmulBufferingLoopLevel MatmulCircularBufferingStrategy MatmulTileRasterizationOrder MmaMacroArch
"""
MEMBERS = {
    "Statement": "__str__",
    "Val": "is_symbolic is_tensor definition uses",
    "Expr": "input output",
    "IterDomain": "__str__ is_reduction extent parallelize",
    "TensorDomain": "__str__",
    "TensorView": """__str__ ndim size shape dtype has_root domain get_logical_domain get_loop_domain get_root_domain
        axis split inner_split outer_split merge reorder swizzle swizzle1d rfactor cache_before cache_after
        set_memory_type set_allocation_domain set_device_mesh""",
    "BroadcastOp": "__str__",
    "SqueezeOp": "__str__",
    "Fusion": "__eq__ inputs outputs vals add_input add_output print_math print_kernel",
    "FusionGuard": "__init__",
    "FusionExecutorCache": """__init__ execute is_compiled fusion get_cuda_kernel get_scheduled_ir
        get_most_recent_scheduled_ir get_output_shardings""",
    "PythonProfiler": "__init__ __enter__ __exit__ profile",
    "FusionProfile": """verbose fusion_id segments cuda_evt_time_ms host_time_ms compile_time_ms kernel_time_ms
        effective_bandwidth_gbs percentage_peak_bandwith input_bytes output_bytes kernel_profiles __repr__""",
    "KernelProfile": """name segment_id device stream correlation_id compile_time_ms time_ms effective_bandwidth_gbs
        percentage_peak_bandwidth grid_str block_str cluster_str shared_mem_str registers input_bytes output_bytes
        scheduler __repr__""",
    "LRUCache": "__init__ cache_compile num_fusions stats",
    "FusionDefinition": """fusion __repr__ __enter__ __exit__ define_tensor define_scalar define_vector add_output
        from_pytorch execute manual_execute validate_definition validate manual_validate last_repro_script
        repro_script_for _get_device_index ops sched fec ke""",
    "pytorch_utils": """torch_dtype_to_nvfuser_dtype python_scalar_to_nvfuser_dtype retry_on_oom_or_skip_test
        get_device_properties DEVICE_PROPERTIES""",
    "nvfuser_direct_version": "Version NvfuserVersion",
    "DataType": """Double Float Half Int Int32 UInt64 Index Bool BFloat16 Float8_e4m3fn Float8_e5m2 Float8_e8m0fnu
        Float4_e2m1fn Float4_e2m1fn_x2 ComplexFloat ComplexDouble Null""",
    "ParallelType": """mesh_x mesh_y mesh_z grid_x grid_y grid_z block_x block_y block_z mma serial tma unroll unswitch
        vectorize stream""",
    "MemoryType": "tensor local shared global symmetric",
    # Classes that are absent as a whole; their members go with them.
    "Split": "outer inner",
    "Merge": "outer inner",
    "KernelExecutor": "__init__ compile run is_compiled is_programmatic_dependent_launch_enabled",
    "CompileParams": "index_type maxrregcount enable_magic_zero enable_ptxas_verbose device include_paths",
    "LaunchParams": "gdimx gdimy gdimz bdimx bdimy bdimz",
    "HeuristicParams": "lparams cparams scheduler_type",
    "PointwiseParams": """break_point split_block split_grid_y_dim flip_grid_binding vectorization_factor
        unroll_factor_inner unroll_factor_outer""",
    "SchedulerType": """none no_op pointwise matmul reduction inner_persistent inner_outer_persistent outer_persistent
        transpose expr_eval resize""",
    "LoadStoreOpType": "set load_matrix cp_async tma",
    "CacheOp": "unspecified all_levels streaming global",
    "CommunicatorBackend": "nccl ucc cuda",
    "IdMappingMode": "exact almost_exact broadcast permissive loop",
    "MatmulTilingStrategy": "one_tile_per_cta distribute_tiles_across_sms distribute_stages_across_sms",
    "MatmulBufferingLoopLevel": "cta_tiles warp_tiles",
    "MatmulCircularBufferingStrategy": "pipelined warp_specialized",
    "MatmulTileRasterizationOrder": "column_major row_major",
    "MmaMacroArch": "no_mma volta turing ampere hopper blackwell_1cta blackwell_2cta",
    "schedule": """bounded_transform_backward transform_like parallelize_like inline_most inline_at can_schedule
        find_compatible_schedulers compute_heuristics schedule warp_specialize""",
    "multidevice": """Communicator DeviceMesh Sharding MultiDeviceExecutorParams MultiDeviceExecutor shard_tensor""",
    "idm": "IdModel ValGraph DisjointValSets",
}

_BY_HAND = "schedules written by hand: the transforms of a TensorView do not exist"
_TRANSFORMS = "split inner_split outer_split merge reorder swizzle rfactor cache_before cache_after set_memory_type"
_MANUAL = ("sched", "ke", "manual_execute", "manual_validate")
# Members that are absent although their owner is there.
ABSENT_OF = {
    **{
        f"TensorView.{name}": _BY_HAND
        for name in ["split", "inner_split", "outer_split", "merge", "reorder", "swizzle", "rfactor"]
    },
    **{f"TensorView.{name}": _BY_HAND for name in _TRANSFORMS.split()},
    "TensorView.set_allocation_domain": "layouts of tensors are chosen by ops.stride_order and the definition",
    "TensorView.swizzle1d": "programs of several devices do not exist",
    "TensorView.set_device_mesh": "programs of several devices do not exist",
    "IterDomain.parallelize": _BY_HAND,
    "Fusion.print_kernel": "a kernel is made for inputs: fd.kernel_text(inputs)",
    "FusionExecutorCache.get_scheduled_ir": "a schedule is Params and Facts, not IR: fd.plan_text(inputs)",
    "FusionExecutorCache.get_most_recent_scheduled_ir": "a schedule is Params and Facts, not IR: fd.plan_text(inputs)",
    "FusionExecutorCache.get_output_shardings": "programs of several devices do not exist",
    **{
        f"FusionDefinition.{name}": ABSENT_MEMBERS[name]
        for name in ("sched", "ke", "manual_execute", "manual_validate")
    },
}


def rows():
    """(name, why it is absent or None) of every name, owners before members."""
    for name in PACKAGE.split():
        yield name, ABSENT.get(name)
    for owner, members in MEMBERS.items():
        for member in members.split():
            name = f"{owner}.{member}"
            yield name, ABSENT.get(owner) or ABSENT_OF.get(name)
