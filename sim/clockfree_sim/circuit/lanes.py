"""Plain memory access and short vectors for compiled code: what numba does not make of an array expression.

numba tests every index of an array for being negative, and turns loops into vector instructions behind checks of length
and overlap that take longer than the rows of a small network, 4 to 20 doubles. With these functions a step of the
circuit is 2 to 3 times faster. Nothing here checks an index.

`Lanes` are four doubles in a vector register, a `Pair` are two.
"""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, models, register_model

LANES = 4
"""Doubles in a vector register of most desktop processors."""

_INDEX = ir.IntType(32)
_CONTRACT = ("contract",)  # a product and a sum may be one instruction


class _Vector(types.Type):
    def __init__(self, width):
        self.width = width
        super().__init__(name=f"Vector{width}")


@register_model(_Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager, vector):
        super().__init__(manager, vector, ir.VectorType(ir.DoubleType(), vector.width))


_LANES, _PAIR = _Vector(LANES), _Vector(2)


def _element(context, builder, signature, arguments):
    data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
    return builder.gep(data, [arguments[1]])


def _getter(result):
    def generate(context, builder, signature, arguments):
        pointer = _element(context, builder, signature, arguments)
        pointer = builder.bitcast(pointer, context.get_value_type(result).as_pointer())
        return builder.load(pointer, align=8)

    return generate


def _putter(context, builder, signature, arguments):
    pointer = _element(context, builder, signature, arguments)
    pointer = builder.bitcast(pointer, arguments[2].type.as_pointer())
    builder.store(arguments[2], pointer, align=8)
    return context.get_dummy_value()


@intrinsic
def get(typing_context, array, index):
    """array[index] of a one-dimensional int64, int32 or float64 array; all integers are machine words from here on."""
    result = types.int64 if isinstance(array.dtype, types.Integer) else array.dtype

    def generate(context, builder, signature, arguments):
        number = _getter(array.dtype)(context, builder, signature, arguments)
        return context.cast(builder, number, array.dtype, result)

    return result(array, types.int64), generate


@intrinsic
def pointer(typing_context, address, array):
    """A pointer to elements of the kind of an array's, from an address."""

    def generate(context, builder, signature, arguments):
        return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

    return types.CPointer(array.dtype)(address, array), generate


@intrinsic
def get_lanes(typing_context, array, index):
    """Lanes array[index : index + 4] of a one-dimensional float64 array."""
    return _LANES(array, types.int64), _getter(_LANES)


@intrinsic
def get_pair(typing_context, array, index):
    """Pair array[index : index + 2] of a one-dimensional float64 array."""
    return _PAIR(array, types.int64), _getter(_PAIR)


@intrinsic
def put(typing_context, array, index, value):
    """Store a number, lanes or a pair in a one-dimensional int64 or float64 array, from index on."""
    value = value if isinstance(value, _Vector) else array.dtype
    return types.void(array, types.int64, value), _putter


@intrinsic
def zeros(typing_context):
    """Lanes of 0."""

    def generate(context, builder, signature, arguments):
        return ir.Constant(context.get_value_type(_LANES), [0.0] * LANES)

    return _LANES(), generate


@intrinsic
def total(typing_context, lanes):
    """Sum of the four doubles of lanes."""

    def generate(context, builder, signature, arguments):
        one, two, three, four = (builder.extract_element(arguments[0], _INDEX(i)) for i in range(LANES))
        return builder.fadd(builder.fadd(one, two), builder.fadd(three, four))

    return types.float64(_LANES), generate


@intrinsic
def pair(typing_context, first, second):
    """Pair of two floats."""

    def generate(context, builder, signature, arguments):
        made = ir.Constant(context.get_value_type(_PAIR), ir.Undefined)
        for i in range(2):
            made = builder.insert_element(made, arguments[i], _INDEX(i))
        return made

    return _PAIR(types.float64, types.float64), generate


@intrinsic
def floats(typing_context, both):
    """The two floats of a pair."""
    result = types.UniTuple(types.float64, 2)

    def generate(context, builder, signature, arguments):
        return context.make_tuple(builder, result, [builder.extract_element(arguments[0], _INDEX(i)) for i in range(2)])

    return result(_PAIR), generate


@intrinsic
def add(typing_context, vector, factor, more):
    """Vector + factor * more, for lanes or pairs and one factor."""

    def generate(context, builder, signature, arguments):
        start, factor, more = arguments
        undefined = ir.Constant(start.type, ir.Undefined)
        everywhere = ir.Constant(ir.VectorType(_INDEX, vector.width), [0] * vector.width)
        factors = builder.shuffle_vector(builder.insert_element(undefined, factor, _INDEX(0)), undefined, everywhere)
        return builder.fadd(start, builder.fmul(factors, more, flags=_CONTRACT), flags=_CONTRACT)

    return vector(vector, types.float64, vector), generate


@intrinsic
def add_square(typing_context, vector, more):
    """Vector + more * more, for lanes or pairs."""

    def generate(context, builder, signature, arguments):
        start, more = arguments
        return builder.fadd(start, builder.fmul(more, more, flags=_CONTRACT), flags=_CONTRACT)

    return vector(vector, vector), generate
