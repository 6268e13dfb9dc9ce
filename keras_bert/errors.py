"""The exceptions for invalid input and for training that fails, and the warning about input that was used in part."""


class InputError(ValueError):
    """Exception raised for invalid user input.

    The message is one line: what is expected, then what was received. It is a `ValueError`, so code that does not
    import this class can catch it. The command line prints it as `error: …` with exit status 2. Any other exception is
    a bug of the package and is printed with its traceback.

    Example:

    >>> raise InputError("`vocab_size` must be a positive integer. Received: vocab_size=0")
    Traceback (most recent call last):
    ...
    keras_bert.errors.InputError: `vocab_size` must be a positive integer. Received: vocab_size=0
    """

    # Without this attribute, Keras appends colors and the arguments of the layer call to the message.
    _keras_call_info_injected = True
    # Without this attribute, TensorFlow replaces the error with another one of many lines inside `tf.data`.
    ag_pass_through = True


class NonFiniteError(ArithmeticError):
    """Exception raised when a loss or a weight becomes NaN or infinite in training.

    The message is one line: what is not finite, the step, its batch and its learning rate, and where the last good
    weights are. The command line prints it as `error: …` with exit status 1 and writes no model.

    Example:

    >>> raise NonFiniteError("`loss` must be finite in training. Received: loss=nan")
    Traceback (most recent call last):
    ...
    keras_bert.errors.NonFiniteError: `loss` must be finite in training. Received: loss=nan
    """


class InputWarning(UserWarning):
    """Warning about input that was used in part: rows that were skipped, texts that were truncated.

    The command line prints its message as one line, `warning: …`, on standard error.
    """
