"""A proxy on loopback that stands in front of any AWS-compatible server, lets faults happen as
its rules say, and writes down every request. Standard library only.

| module | what it holds |
|---|---|
| `http` | just enough HTTP/1.1 |
| `wire` | what a request asks of AWS; errors in each service's own form |
| `rules` | which fault befalls which request |
| `serve` | the proxy, its record and its control addresses |
"""
