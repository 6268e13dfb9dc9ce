"""The one error that is the user's to mend."""


class InputError(ValueError):
    """What was received cannot be used; the message is one line that says what is expected instead.

    It is a `ValueError`, so callers who do not know this package catch it all the same. The command line prints it as
    `error: …` with exit status 2; any other exception is a bug of ours and keeps its traceback.

    Example:

    >>> raise InputError("a vocabulary needs [CLS]. Received: 3 tokens without it")
    Traceback (most recent call last):
    ...
    keras_bert.errors.InputError: a vocabulary needs [CLS]. Received: 3 tokens without it
    """

    # Keras adds colours and the failing call's arguments to an error that leaves a layer, unless it bears this.
    _keras_call_info_injected = True
