"""EventBridge Scheduler's answers where moto's differ in what a lossless edit depends on."""

import json

from moto.scheduler import responses, urls
from moto.scheduler.exceptions import ValidationException


class Response(responses.EventBridgeSchedulerResponse):
    """moto's reading of requests, with AWS's defaults and pages."""

    def update_schedule(self):
        """Replaces everything: what is left out goes back to its default, State to ENABLED."""
        for needed in ("FlexibleTimeWindow", "ScheduleExpression", "Target"):
            if not self._get_param(needed):
                raise ValidationException(message=f"{needed} must not be null")
        answer = super().update_schedule()
        name = self.uri.split("?")[0].split("/")[-1]
        schedule = self.scheduler_backend.get_schedule(self._get_param("GroupName"), name)
        schedule.state = self._get_param("State") or "ENABLED"
        schedule.action_after_completion = self._get_param("ActionAfterCompletion") or "NONE"
        return answer

    def create_schedule(self):
        """The default of `ActionAfterCompletion` is a word, not nothing."""
        answer = super().create_schedule()
        name = self.uri.split("?")[0].split("/")[-1]
        schedule = self.scheduler_backend.get_schedule(self._get_param("GroupName"), name)
        schedule.action_after_completion = schedule.action_after_completion or "NONE"
        return answer

    def get_schedule(self):
        """What is not set is left out, not null."""
        answer = json.loads(super().get_schedule())
        return json.dumps({key: value for key, value in answer.items() if value is not None})

    def list_schedules(self):
        """A hundred a page and never more, in the order of their names."""
        query = {key: values[0] for key, values in self.querystring.items() if values}
        size = int(query.get("MaxResults") or 100)
        if not 1 <= size <= 100:
            raise ValidationException(message="MaxResults must be between 1 and 100")
        found = [
            schedule
            for group in self.scheduler_backend.schedule_groups.values()
            if query.get("ScheduleGroup") in (None, group.name)
            for schedule in group.schedules.values()
            if query.get("State") in (None, schedule.state)
            and schedule.name.startswith(query.get("NamePrefix") or "")
        ]
        found.sort(key=lambda schedule: (schedule.name, schedule.group_name))
        begin = int(query.get("NextToken") or 0)
        page = [_summary(schedule) for schedule in found[begin:begin + size]]
        more = {"NextToken": str(begin + size)} if begin + size < len(found) else {}
        return json.dumps({"Schedules": page, **more})


def _summary(schedule):
    """What a list shows of a schedule: no expression, no time zone, only the target's ARN."""
    shown = ("Arn", "Name", "GroupName", "State", "CreationDate", "LastModificationDate", "Target")
    whole = schedule.to_dict(short=True)
    return {key: whole[key] for key in shown}


def install():
    """Puts this in moto's place; before the first request."""
    for path in urls.url_paths:
        urls.url_paths[path] = Response.dispatch
