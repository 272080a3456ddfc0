"""OpsKit's core: plain Python that a DAG, a notebook or the Dify plugin imports.

It knows nothing of Dify's plugin SDK. Where it needs Dify to act it names a Protocol.
"""
