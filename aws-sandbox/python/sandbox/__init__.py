"""An AWS-compatible server on this machine, for tests and for trying things out.

| module | what it holds |
|---|---|
| `__main__` | starts the server and the proxy, ends with whoever started them |
| `lifetime` | the reasons to end |
| `accounts` | one account per access key: how tests share a server without meeting |
| `server` | moto with our corrections behind it, and the control addresses |
| `ecs` | services that own tasks; what ECS answers and moto does not |
| `schedules`, `tables` | the same for EventBridge Scheduler and DynamoDB |
| `proxy` | the faults, and the record of what was sent (standard library only) |
| `scenario` | fills an account from a file |
"""
