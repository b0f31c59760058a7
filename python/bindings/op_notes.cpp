// SPDX-License-Identifier: Apache-2.0
// Operations that are written out: what to see, and an example each.  The tests run the examples.
#include <string>

#include "nvfuser/base/errors.h"
#include "op_docs.h"

namespace nvfuser::python {
namespace {

// clang-format off
/// Of each operation a line `= name`, a line with what to see, and the example.  One text, not a table
/// of texts: the loader puts every address of a table right.
constexpr std::string_view kNotes = R"(
= set
segment_set, cast
>>> x = np.float32([[1, 5, 3], [4, 2, 6]])
>>> with FusionDefinition() as fd:
...     fd.add_output(ops.set(fd.from_pytorch(x)))
>>> fd.execute([x], target="evaluator")[0]
array([[1., 5., 3.],
       [4., 2., 6.]], dtype=float32)
= segment_set
set
>>> with FusionDefinition() as fd:
...     x = fd.define_tensor(shape=[-1], contiguity=[True])
...     fd.add_output(ops.segment_set(x * 2.0) + 1.0)
>>> fd.execute([np.float32([1, 2])], target="evaluator")
[array([3., 5.], dtype=float32)]
= cast
set, DataType
>>> ops.cast(2.7, DataType.Int)
<Val: 2>
>>> x = np.float32([[1, 5, 3], [4, 2, 6]])
>>> with FusionDefinition() as fd:
...     fd.add_output(ops.cast(fd.from_pytorch(x), DataType.Double))
>>> fd.execute([x], target="evaluator")[0]
array([[1., 5., 3.],
       [4., 2., 6.]])
= stride_order
permute, define_tensor
>>> x = np.float32([[1, 5, 3], [4, 2, 6]])
>>> with FusionDefinition() as fd:
...     fd.add_output(ops.stride_order(fd.from_pytorch(x), [0, 1]))
>>> fd.execute([x], target="evaluator")[0].strides
(4, 8)
= broadcast
broadcast_in_dim, expand, squeeze
>>> x = np.float32([[1, 5, 3], [4, 2, 6]])
>>> with FusionDefinition() as fd:
...     fd.add_output(ops.broadcast(fd.from_pytorch(x), [False, True, False]))
>>> fd.execute([x], target="evaluator")[0].shape
(2, 1, 3)
= broadcast_in_dim
broadcast, expand
>>> x = np.float32([7, 8])
>>> with FusionDefinition() as fd:
...     fd.add_output(ops.broadcast_in_dim(fd.from_pytorch(x), [2, 3], [0]))
>>> fd.execute([x], target="evaluator")[0]
array([[7., 7., 7.],
       [8., 8., 8.]], dtype=float32)
= expand
broadcast_in_dim
>>> x = np.float32([[7], [8]])
>>> with FusionDefinition() as fd:
...     fd.add_output(ops.expand(fd.from_pytorch(x), [-1, 3]))
>>> fd.execute([x], target="evaluator")[0]
array([[7., 7., 7.],
       [8., 8., 8.]], dtype=float32)
= squeeze
broadcast, expand
>>> x = np.float32([[7], [8]])
>>> with FusionDefinition() as fd:
...     fd.add_output(ops.squeeze(fd.from_pytorch(x), [1]))
>>> fd.execute([x], target="evaluator")[0]
array([7., 8.], dtype=float32)
= permute
stride_order, broadcast_in_dim
>>> x = np.float32([[1, 5, 3], [4, 2, 6]])
>>> with FusionDefinition() as fd:
...     fd.add_output(ops.permute(fd.from_pytorch(x), [1, 0]))
>>> fd.execute([x], target="evaluator")[0]
array([[1., 4.],
       [5., 2.],
       [3., 6.]], dtype=float32)
= size
shape, TensorView.size
>>> with FusionDefinition() as fd:
...     x = fd.define_tensor(shape=[-1, 3], contiguity=True)
...     n = ops.size(x, -1)
>>> n
<Val: 3>
= shape
size, TensorView.shape
>>> with FusionDefinition() as fd:
...     x = fd.define_tensor(shape=[-1, 3], contiguity=True)
...     extents = ops.shape(x)
>>> extents
[<Val: i0>, <Val: 3>]
= full
iota, broadcast_in_dim
>>> with FusionDefinition() as fd:
...     fd.add_output(ops.full([2, 2], 7, DataType.Int))
>>> fd.execute([], target="evaluator")[0].tolist()
[[7, 7], [7, 7]]
= iota
full
>>> with FusionDefinition() as fd:
...     fd.add_output(ops.iota(4, start=10, step=2))
>>> fd.execute([], target="evaluator")[0].tolist()
[10, 12, 14, 16]
= var
var_mean, sum
>>> x = np.float32([[1, 5, 3], [4, 2, 6]])
>>> with FusionDefinition() as fd:
...     fd.add_output(ops.var(fd.from_pytorch(x), [1]))
>>> fd.execute([x], target="evaluator")[0].round(3)
array([4., 4.], dtype=float32)
= var_mean
var, welford
>>> x = np.float32([[1, 5, 3], [4, 2, 6]])
>>> with FusionDefinition() as fd:
...     for out in ops.var_mean(fd.from_pytorch(x), [1]):
...         fd.add_output(out)
>>> fd.execute([x], target="evaluator")
[array([4., 4.], dtype=float32), array([3., 4.], dtype=float32)]
= welford
var_mean
>>> x = np.float32([[1, 5, 3], [4, 2, 6]])
>>> with FusionDefinition() as fd:
...     for out in ops.welford(fd.from_pytorch(x), [1]):
...         fd.add_output(out)
>>> fd.execute([x], target="evaluator")
[array([3., 4.], dtype=float32), array([8., 8.], dtype=float32), array([3, 3])]
= take_along_axis
gather, argmax
>>> x = np.float32([[1, 5, 3], [4, 2, 6]])
>>> at = np.int64([[2, 0], [1, 1]])
>>> with FusionDefinition() as fd:
...     fd.add_output(ops.take_along_axis(fd.from_pytorch(x), fd.from_pytorch(at), 1))
>>> fd.execute([x, at], target="evaluator")[0]
array([[3., 1.],
       [2., 2.]], dtype=float32)
= gather
take_along_axis
>>> x = np.float32([[1, 5, 3], [4, 2, 6]])
>>> at = np.int64([[2, 0]])
>>> with FusionDefinition() as fd:
...     fd.add_output(ops.gather(fd.from_pytorch(x), fd.from_pytorch(at), 1))
>>> fd.execute([x, at], target="evaluator")[0]
array([[3., 1.]], dtype=float32)
= softmax
log_softmax, softmax_backward
>>> x = np.float32([[1, 5, 3], [4, 2, 6]])
>>> with FusionDefinition() as fd:
...     fd.add_output(ops.softmax(fd.from_pytorch(x), 1))
>>> fd.execute([x], target="evaluator")[0].round(3)
array([[0.016, 0.867, 0.117],
       [0.117, 0.016, 0.867]], dtype=float32)
= log_softmax
softmax, cross_entropy
>>> x = np.float32([[1, 5, 3], [4, 2, 6]])
>>> with FusionDefinition() as fd:
...     fd.add_output(ops.log_softmax(fd.from_pytorch(x), 1))
>>> fd.execute([x], target="evaluator")[0].round(3)
array([[-4.143, -0.143, -2.143],
       [-2.143, -4.143, -0.143]], dtype=float32)
= softmax_backward
softmax
>>> grad = np.float32([1, 0])
>>> y = np.float32([0.25, 0.75])
>>> with FusionDefinition() as fd:
...     tgrad, ty = (fd.from_pytorch(t) for t in (grad, y))
...     fd.add_output(ops.softmax_backward(tgrad, ty, 0))
>>> [out.round(3) for out in fd.execute([grad, y], target="evaluator")]
[array([ 0.188, -0.188], dtype=float32)]
= log_softmax_backward
log_softmax
>>> grad = np.float32([1, 0])
>>> y = np.log(np.float32([0.25, 0.75]))
>>> with FusionDefinition() as fd:
...     tgrad, ty = (fd.from_pytorch(t) for t in (grad, y))
...     fd.add_output(ops.log_softmax_backward(tgrad, ty, 0))
>>> [out.round(3) for out in fd.execute([grad, y], target="evaluator")]
[array([ 0.75, -0.75], dtype=float32)]
= gelu
gelu_backward, silu, relu
>>> x = np.float32([-1, 0, 1])
>>> with FusionDefinition() as fd:
...     fd.add_output(ops.gelu(fd.from_pytorch(x)))
>>> fd.execute([x], target="evaluator")[0].round(3)
array([-0.159,  0.   ,  0.841], dtype=float32)
= gelu_backward
gelu
>>> grad = np.ones(3, np.float32)
>>> x = np.float32([-1, 0, 1])
>>> with FusionDefinition() as fd:
...     tgrad, tx = (fd.from_pytorch(t) for t in (grad, x))
...     fd.add_output(ops.gelu_backward(tgrad, tx))
>>> [out.round(3) for out in fd.execute([grad, x], target="evaluator")]
[array([-0.083,  0.5  ,  1.083], dtype=float32)]
= silu_backward
silu
>>> grad = np.ones(3, np.float32)
>>> x = np.float32([-1, 0, 1])
>>> with FusionDefinition() as fd:
...     tgrad, tx = (fd.from_pytorch(t) for t in (grad, x))
...     fd.add_output(ops.silu_backward(tgrad, tx))
>>> [out.round(3) for out in fd.execute([grad, x], target="evaluator")]
[array([0.072, 0.5  , 0.928], dtype=float32)]
= cross_entropy
cross_entropy_forward, cross_entropy_backward, log_softmax
>>> x = np.float32([[1, 5, 3], [4, 2, 6]])
>>> t = np.int64([1, 2])
>>> with FusionDefinition() as fd:
...     tx, tt = (fd.from_pytorch(t) for t in (x, t))
...     fd.add_output(ops.cross_entropy(tx, tt, reduction="none"))
>>> [out.round(3) for out in fd.execute([x, t], target="evaluator")]
[array([0.143, 0.143], dtype=float32)]
= cross_entropy_forward
cross_entropy, cross_entropy_backward
>>> x = np.float32([[1, 5, 3], [4, 2, 6]])
>>> t = np.int64([1, 2])
>>> with FusionDefinition() as fd:
...     tx, tt = (fd.from_pytorch(t) for t in (x, t))
...     for out in ops.cross_entropy_forward(tx, tt):
...         fd.add_output(out)
>>> [out.round(3) for out in fd.execute([x, t], target="evaluator")]
[np.float32(0.143), array([5.143, 6.143], dtype=float32)]
= cross_entropy_backward
cross_entropy_forward
>>> x = np.float32([[1, 5, 3], [4, 2, 6]])
>>> t = np.int64([1, 2])
>>> grad = np.ones((), np.float32)
>>> with FusionDefinition() as fd:
...     tx, tt, tgrad = (fd.from_pytorch(t) for t in (x, t, grad))
...     _, log_sum = ops.cross_entropy_forward(tx, tt)
...     fd.add_output(ops.cross_entropy_backward(tgrad, tx, tt, log_sum))
>>> [out.round(3) for out in fd.execute([x, t, grad], target="evaluator")]
[array([[ 0.008, -0.067,  0.059],
       [ 0.059,  0.008, -0.067]], dtype=float32)]
= layer_norm
layer_norm_forward, layer_norm_backward, rms_norm
>>> x = np.float32([[1, 5, 3], [4, 2, 6]])
>>> with FusionDefinition() as fd:
...     fd.add_output(ops.layer_norm(fd.from_pytorch(x), [3]))
>>> fd.execute([x], target="evaluator")[0].round(3)
array([[-1.225,  1.225,  0.   ],
       [ 0.   , -1.225,  1.225]], dtype=float32)
= layer_norm_forward
layer_norm, layer_norm_backward
>>> x = np.float32([[1, 5, 3], [4, 2, 6]])
>>> with FusionDefinition() as fd:
...     tx = fd.from_pytorch(x)
...     for out in ops.layer_norm_forward(tx, [3]):
...         fd.add_output(out)
>>> [out.round(3) for out in fd.execute([x], target="evaluator")]
[array([[-1.225,  1.225,  0.   ],
       [ 0.   , -1.225,  1.225]], dtype=float32), array([[3.],
       [4.]], dtype=float32), array([[0.612],
       [0.612]], dtype=float32)]
= layer_norm_backward
layer_norm_forward, layer_norm
>>> x = np.float32([[1, 5, 3], [4, 2, 6]])
>>> grad = np.float32([[1, 0, 0], [0, 0, 1]])
>>> with FusionDefinition() as fd:
...     tx, tgrad = (fd.from_pytorch(t) for t in (x, grad))
...     _, mean, rstd = ops.layer_norm_forward(tx, [3])
...     fd.add_output(ops.layer_norm_backward(tgrad, tx, mean, rstd, [3])[0])
>>> [out.round(3) for out in fd.execute([x, grad], target="evaluator")]
[array([[ 0.102,  0.102, -0.204],
       [-0.204,  0.102,  0.102]], dtype=float32)]
= rms_norm
rms_norm_forward, rms_norm_backward, layer_norm
>>> x = np.float32([[1, 5, 3], [4, 2, 6]])
>>> with FusionDefinition() as fd:
...     fd.add_output(ops.rms_norm(fd.from_pytorch(x), [3]))
>>> fd.execute([x], target="evaluator")[0].round(3)
array([[0.293, 1.464, 0.878],
       [0.926, 0.463, 1.389]], dtype=float32)
= rms_norm_forward
rms_norm, rms_norm_backward
>>> x = np.float32([[1, 5, 3], [4, 2, 6]])
>>> with FusionDefinition() as fd:
...     tx = fd.from_pytorch(x)
...     for out in ops.rms_norm_forward(tx, [3]):
...         fd.add_output(out)
>>> [out.round(3) for out in fd.execute([x], target="evaluator")]
[array([[0.293, 1.464, 0.878],
       [0.926, 0.463, 1.389]], dtype=float32), array([[0.293],
       [0.231]], dtype=float32)]
= rms_norm_backward
rms_norm_forward, rms_norm
>>> x = np.float32([[1, 5, 3], [4, 2, 6]])
>>> grad = np.float32([[1, 0, 0], [0, 0, 1]])
>>> with FusionDefinition() as fd:
...     tx, tgrad = (fd.from_pytorch(t) for t in (x, grad))
...     _, rstd = ops.rms_norm_forward(tx, [3])
...     fd.add_output(ops.rms_norm_backward(tgrad, tx, rstd, [3])[0])
>>> [out.round(3) for out in fd.execute([x, grad], target="evaluator")]
[array([[ 0.284, -0.042, -0.025],
       [-0.099, -0.05 ,  0.083]], dtype=float32)]
= batch_norm
batch_norm_forward, batch_norm_backward, group_norm
>>> x = np.float32([[1, 5, 3], [4, 2, 6]])
>>> with FusionDefinition() as fd:
...     fd.add_output(ops.batch_norm(fd.from_pytorch(x), training=True))
>>> fd.execute([x], target="evaluator")[0].round(3)
array([[-1.,  1., -1.],
       [ 1., -1.,  1.]], dtype=float32)
= batch_norm_forward
batch_norm, batch_norm_backward
>>> x = np.float32([[1, 5, 3], [4, 2, 6]])
>>> with FusionDefinition() as fd:
...     tx = fd.from_pytorch(x)
...     for out in ops.batch_norm_forward(tx, training=True):
...         fd.add_output(out)
>>> y, mean, rstd = fd.execute([x], target="evaluator")
>>> mean, rstd.round(3)
(array([2.5, 3.5, 4.5], dtype=float32), array([0.667, 0.667, 0.667], dtype=float32))
= batch_norm_backward
batch_norm_forward, batch_norm
>>> x = np.float32([[1], [2], [6]])
>>> grad = np.float32([[1], [0], [0]])
>>> with FusionDefinition() as fd:
...     tx, tgrad = (fd.from_pytorch(t) for t in (x, grad))
...     _, mean, rstd = ops.batch_norm_forward(tx, training=True)
...     fd.add_output(ops.batch_norm_backward(tgrad, tx, mean, rstd)[0])
>>> [out.round(3) for out in fd.execute([x, grad], target="evaluator")]
[array([[ 0.176],
       [-0.22 ],
       [ 0.044]], dtype=float32)]
= group_norm
group_norm_forward, group_norm_backward, batch_norm
>>> x = np.float32([[[1, 5], [3, 7]]])
>>> with FusionDefinition() as fd:
...     fd.add_output(ops.group_norm(fd.from_pytorch(x), 1))
>>> fd.execute([x], target="evaluator")[0].round(3)
array([[[-1.342,  0.447],
        [-0.447,  1.342]]], dtype=float32)
= group_norm_forward
group_norm, group_norm_backward
>>> x = np.float32([[[1, 5], [3, 7]]])
>>> with FusionDefinition() as fd:
...     tx = fd.from_pytorch(x)
...     for out in ops.group_norm_forward(tx, 1):
...         fd.add_output(out)
>>> [out.round(3) for out in fd.execute([x], target="evaluator")]
[array([[[-1.342,  0.447],
        [-0.447,  1.342]]], dtype=float32), array([[4.]], dtype=float32), array([[0.447]], dtype=float32)]
= group_norm_backward
group_norm_forward, group_norm
>>> x = np.float32([[[1, 5], [3, 7]]])
>>> grad = np.float32([[[1, 0], [0, 0]]])
>>> with FusionDefinition() as fd:
...     tx, tgrad = (fd.from_pytorch(t) for t in (x, grad))
...     _, mean, rstd = ops.group_norm_forward(tx, 1)
...     fd.add_output(ops.group_norm_backward(tgrad, tx, mean, rstd, 1)[0])
>>> [out.round(3) for out in fd.execute([x, grad], target="evaluator")]
[array([[[ 0.134, -0.045],
        [-0.179,  0.089]]], dtype=float32)]
= )";
// clang-format on

}  // namespace

OpNotes notes_of(std::string_view name) {
  const std::string title = "\n= " + std::string(name) + "\n";
  const size_t at = kNotes.find(title);
  ensure(at != kNotes.npos, "no notes on the operation ", std::string(name));
  const size_t see = at + title.size(), example = kNotes.find('\n', see) + 1, next = kNotes.find("\n= ", example);
  return {kNotes.substr(see, example - 1 - see), kNotes.substr(example, next + 1 - example)};
}

}  // namespace nvfuser::python
