# SPDX-License-Identifier: Apache-2.0
"""Certificates for one test run, made by the openssl command."""
import os
import ssl
import subprocess


def _openssl(*words):
    subprocess.run(["openssl", *words], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.PIPE)


class Authority:
    """A throw-away authority in `directory`: ca.pem, and cert/key pairs it signs."""

    def __init__(self, directory):
        self.directory = directory
        self.ca = self.path("ca.pem")
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-days", "2", "-subj", "/CN=test authority", "-addext",
                 "keyUsage=critical,keyCertSign,cRLSign", "-keyout", self.path("ca.key"),
                 "-out", self.ca)

    def path(self, name):
        return os.path.join(self.directory, name)

    def issue(self, name, *hosts):
        """Sign a certificate for the hosts (`DNS:localhost`, `IP:127.0.0.1`); its two paths."""
        cert, key, request = (self.path(name + end) for end in (".pem", ".key", ".csr"))
        extensions = self.path(name + ".ext")
        with open(extensions, "w", encoding="ascii") as out:
            out.write("subjectAltName=" + ",".join(hosts or ("DNS:localhost", "IP:127.0.0.1")))
        _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-subj", "/CN=" + name, "-keyout", key, "-out", request)
        _openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.path("ca.key"),
                 "-CAcreateserial", "-days", "2", "-extfile", extensions, "-out", cert)
        return cert, key


def server_context(cert, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


def client_context(ca, version=None):
    context = ssl.create_default_context(cafile=ca)
    if version is not None:
        context.minimum_version = context.maximum_version = version
    return context
