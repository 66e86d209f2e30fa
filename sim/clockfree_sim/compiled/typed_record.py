"""The typed record: an object of the firmware to compiled code, and what its methods need beside it.

To a method of `clockfree_board.edge.Edge`, compiled over globals of its own (`firmware`), ``self`` is the edge's
record, the record of what all edges share, and the wires: the arrays that its chips and the circuit are to compiled
code. Fields of all three are its attributes; its methods are added by `numba.extending.overload_method`.
``self.sense`` is the same object again, and ``self.pots`` the same fields with the methods of a potentiometer's driver.

Nothing here counts references: whoever calls compiled code keeps records and arrays alive until it returns.
"""

from hashlib import sha256

from numba import types
from numba.core import cgutils
from numba.core.imputils import impl_ret_borrowed, lower_getattr_generic, lower_setattr_generic
from numba.core.typing.templates import AttributeTemplate, infer_getattr
from numba.extending import intrinsic, models, overload_attribute, overload_method, register_model

from clockfree_sim.circuit import code_digest
from clockfree_sim.circuit.inner import Inner


class _Bound(types.Type):
    """Two records and the wires, of any numba type."""

    def __init__(self, record, shared, wires):
        self.record, self.shared, self.wires = record, shared, wires
        self._parts = f"{record} {shared} {wires}"
        # Part of the name of every function that it is given to: the whole would be a thousand letters.
        super().__init__(name=f"{type(self).__name__}{sha256(self._parts.encode()).hexdigest()[:8]}")

    @property
    def key(self):
        """What tells it from others."""
        return self._parts

    def holder(self, name):
        """Which of the three has a field: 'record', 'shared', 'wires' or None."""
        holders = {"record": self.record.fields, "shared": self.shared.fields, "wires": self.wires.fields}
        return next((holder for holder, fields in holders.items() if name in fields), None)


class EdgeType(_Bound):
    """An edge, its clock and its front end."""


class PotsType(_Bound):
    """Its potentiometer."""


class ShowType(_Bound):
    """A supervisor with one lesson: its record, twice, and what is taught."""


def lacks(kind, name):
    """Whether an edge, a supervisor or wires, by type, have nothing in this field: then it is None."""
    wires = kind.wires if isinstance(kind, _Bound) else kind
    return isinstance(wires.types[wires.fields.index(name)], types.NoneType)


@register_model(EdgeType)
@register_model(PotsType)
@register_model(ShowType)
class _BoundModel(models.StructModel):
    def __init__(self, manager, bound):
        # Pointers: a generator would keep a copy of a record, and a call would pass on sixty words of wires.
        members = [(name, types.CPointer(getattr(bound, name))) for name in ("record", "shared")]
        members.append(("wires", types.voidptr))
        super().__init__(manager, bound, members)


def _wires(context, builder, bound, parts):
    return builder.bitcast(parts.wires, context.get_value_type(bound.wires).as_pointer())


_METHOD_OF_POTS = "step"  # which is a field of the edge, too: what the rule said last


@infer_getattr
class _BoundAttribute(AttributeTemplate):
    key = _Bound

    def generic_resolve(self, bound, name):
        if name == "sense":
            return bound
        if name == "pots":
            return PotsType(bound.record, bound.shared, bound.wires)
        if name == "wires":
            return bound.wires
        if isinstance(bound, PotsType) and name == _METHOD_OF_POTS:
            return None
        holder = bound.holder(name)
        if holder == "wires":
            return bound.wires.types[bound.wires.fields.index(name)]
        return getattr(bound, holder).typeof(name) if holder else None


@lower_getattr_generic(_Bound)
def _get(context, builder, bound, value, name):
    if name in ("sense", "pots"):
        return impl_ret_borrowed(context, builder, bound, value)
    parts = cgutils.create_struct_proxy(bound)(context, builder, value)
    if name == "wires":
        whole = builder.load(_wires(context, builder, bound, parts))
        return impl_ret_borrowed(context, builder, bound.wires, whole)
    holder = bound.holder(name)
    if holder == "wires":
        place = bound.wires.fields.index(name)
        found = builder.load(cgutils.gep_inbounds(builder, _wires(context, builder, bound, parts), 0, place))
        return impl_ret_borrowed(context, builder, bound.wires.types[place], found)
    record = getattr(bound, holder)
    return context.get_getattr(record, name)(context, builder, record, getattr(parts, holder), name)


@lower_setattr_generic(_Bound)
def _set(context, builder, signature, arguments, name):
    bound, value = signature.args
    parts = cgutils.create_struct_proxy(bound)(context, builder, arguments[0])
    holder = bound.holder(name)
    assign = context.get_setattr(name, types.void(getattr(bound, holder), value))
    return assign(builder, (getattr(parts, holder), arguments[1]))


def method_of(kind, name, **options):
    """Give one of these types a method: as `numba.extending.overload_method`."""
    options = {"error_model": "numpy", **options}

    def register(choose):
        code_digest.method(kind, name, choose, **options)
        return overload_method(kind, name, jit_options=options | {"pipeline_class": Inner})(choose)

    return register


def attribute_of(kind, name):
    """Give it an attribute that is made when it is asked for: as `numba.extending.overload_attribute`."""

    def register(choose):
        code_digest.method(kind, name, choose)
        return overload_attribute(kind, name, jit_options={"pipeline_class": Inner})(choose)

    return register


def _binding(kind):
    def bind(typing_context, record, shared, wires):
        bound = kind(record, shared, wires)

        def generate(context, builder, signature, arguments):
            parts = cgutils.create_struct_proxy(bound)(context, builder)
            parts.record, parts.shared, wires = arguments
            parts.wires = builder.bitcast(cgutils.alloca_once_value(builder, wires), cgutils.voidptr_t)
            return impl_ret_borrowed(context, builder, bound, parts._getvalue())

        return bound(record, shared, wires), generate

    return bind


@intrinsic
def edge_of(typing_context, record, shared, wires):
    """The edge that is this record, with what all share, and its wires."""
    return _binding(EdgeType)(typing_context, record, shared, wires)


@intrinsic
def show_of(typing_context, record, same, taught):
    """The supervisor that is this record, given twice, with what it has been taught."""
    return _binding(ShowType)(typing_context, record, same, taught)


@intrinsic
def lent(typing_context, array):
    """The same array to a callee that outlives nobody: counting references to it at every firing would cost half."""

    def generate(context, builder, signature, arguments):
        if isinstance(array, types.NoneType):
            return context.get_dummy_value()
        view = context.make_array(array)(context, builder, arguments[0])
        view.meminfo = context.get_constant_null(types.MemInfoPointer(types.voidptr))
        return view._getvalue()

    return array(array), generate
