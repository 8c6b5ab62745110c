# SPDX-License-Identifier: Apache-2.0
"""What a vendor would refuse in a request, beyond its schema."""


def complaints(talk, scene):
    return []
