"""The API of the sandbox over HTTPS: who asks, for what, in which form, and the answer."""
