"""Which classes a description of a network may name.

They only compute. Those that hold code (`Lambda`), load programs
(`TFSMLayer`) or read files (`TextVectorization`, `StringLookup`) are not among
them, nor are those that only preprocess data. Beside these, a description may
name classes and functions that this process has registered with Keras: its
user has imported them already.
"""

import keras

_LAYERS = """
    Activation Add AlphaDropout Attention Average AveragePooling2D
    AveragePooling3D BatchNormalization Concatenate Conv1D Conv1DTranspose
    Conv2D Conv2DTranspose Conv3D Conv3DTranspose Cropping2D Cropping3D Dense
    DepthwiseConv2D Dot Dropout ELU EinsumDense Flatten GaussianDropout
    GaussianNoise GlobalAveragePooling2D GlobalAveragePooling3D
    GlobalMaxPooling2D GlobalMaxPooling3D GroupNormalization Identity InputLayer
    LayerNormalization LeakyReLU MaxPooling2D MaxPooling3D Maximum Minimum
    MultiHeadAttention Multiply PReLU Permute RMSNormalization ReLU RepeatVector
    Rescaling Reshape Resizing SeparableConv2D Softmax SpatialDropout2D
    SpatialDropout3D SpectralNormalization Subtract UnitNormalization
    UpSampling2D UpSampling3D ZeroPadding2D ZeroPadding3D
"""
_INITIALIZERS = """
    Constant GlorotNormal GlorotUniform HeNormal HeUniform LecunNormal
    LecunUniform Ones Orthogonal RandomNormal RandomUniform TruncatedNormal
    VarianceScaling Zeros
"""
# arithmetic on tensors of a functional model, such as `x * 0.5`
_OPERATIONS = """
    Absolute Add Clip Concatenate Cos Divide Exp Maximum Mean Minimum Multiply
    Negative Power Reshape Rsqrt Sin Sqrt Square Subtract Sum Tanh Transpose
    TrueDivide Var
"""
_ALLOWED = {
    "keras": "DTypePolicy Sequential",
    "keras.constraints": "MaxNorm MinMaxNorm NonNeg UnitNorm",
    "keras.initializers": _INITIALIZERS,
    "keras.layers": _LAYERS,
    "keras.regularizers": "L1 L1L2 L2 OrthogonalRegularizer",
    "keras.src.models.functional": "Functional",
    "keras.src.ops.nn": "Elu Gelu LeakyRelu Relu Sigmoid Silu Softplus Tanh",
    "keras.src.ops.numpy": _OPERATIONS,
}
_CLASSES = {
    (module, name)
    for module, names in _ALLOWED.items()
    for name in names.split()
}
_FUNCTIONS = """
    elu exponential gelu hard_sigmoid hard_silu hard_swish leaky_relu linear
    mish relu relu6 selu sigmoid silu softmax softplus softsign swish tanh
"""
_PARTS = (
    keras.layers.Layer,
    keras.initializers.Initializer,
    keras.regularizers.Regularizer,
    keras.constraints.Constraint,
)


def is_known_class(module: object, name: object, registered: object) -> bool:
    """Whether a description may name a class.

    Args:
        module: Where Keras says that it is.
        name: What it is called there.
        registered: Under what Keras looks for it among registered classes,
            before it looks in the module.
    """
    own = _registered(registered)
    if own is not None:
        return isinstance(own, type) and issubclass(own, _PARTS)
    known = isinstance(module, str) and isinstance(name, str)
    return known and registered in (None, name) and (module, name) in _CLASSES


def is_known_function(module: object, name: object) -> bool:
    """Whether a description may name a function.

    Args:
        module: Where Keras says that it is.
        name: What it is called there, or under what it was registered.
    """
    if _registered(name) is not None:
        return True
    return module == "builtins" and name in _FUNCTIONS.split()


def _registered(name: object) -> object | None:
    """What this process has registered under a name."""
    if not isinstance(name, str):
        return None
    return keras.saving.get_registered_object(name)
