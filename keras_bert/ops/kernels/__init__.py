"""TensorFlow kernels behind the functions of `keras_bert.ops`, imported only where one is used."""
