"""ECS's answers where moto's differ in what an operator's tool depends on."""

import time
import uuid

from moto.core.responses import ActionResult
from moto.ecs import models, responses, urls
from moto.ecs.exceptions import ECSException, InvalidParameterException
from moto.moto_api import state_manager

from . import scheduler


class Backend(models.EC2ContainerServiceBackend):
    """moto's account, with services that the scheduler moves."""

    # moto finds a backend's addresses by the name of its module.
    _url_module = urls

    def update_service(self, service_properties):
        """Counts follow later; a new deployment stands beside the old one until it is done."""
        asked = dict(service_properties)
        if (asked.get("desired_count") or 0) < 0:
            raise InvalidParameterException("desiredCount cannot be negative")
        service = self._get_service(asked.get("cluster", "default"),
                                    asked["service"].split("/")[-1])
        if service.status != "ACTIVE":
            raise ECSException("ServiceNotActiveException", "Service was not ACTIVE.")
        counts = service.running_count, service.pending_count
        deployment_id = service.deployments[0]["id"] if service.deployments else None
        redeploys = asked.get("force_new_deployment") or asked.get("task_definition")
        super().update_service(dict(asked))
        service.running_count, service.pending_count = counts
        if asked.get("task_definition"):
            definition = self.describe_task_definition(asked["task_definition"])
            service.task_definition = definition.arn
        if service.deployments:
            # moto gives the deployment a new id in its place: the old one must stay.
            service.deployments[0]["id"] = deployment_id
            if redeploys:
                self._deploy(service)
            service.deployments[0]["desiredCount"] = service.desired_count
        service.sandbox_steady = False
        return service

    @staticmethod
    def _deploy(service):
        now = scheduler.utc(time.time())
        old = dict(service.deployments[0], status="ACTIVE")
        new = dict(
            old, id=f"ecs-svc/{uuid.uuid4().int % 10**19:019d}", status="PRIMARY",
            taskDefinition=service.task_definition, createdAt=now, updatedAt=now,
            runningCount=0, pendingCount=0, failedTasks=0, rolloutState="IN_PROGRESS",
            rolloutStateReason="ECS deployment in progress.",
        )
        service.deployments = [new, old, *service.deployments[1:]]

    def list_tasks(self, cluster_str=None, container_instance=None, family=None,
                   started_by=None, service_name=None, desiredStatus=None):
        """RUNNING is what ECS shows unless it is asked for STOPPED; PENDING shows nothing."""
        found = super().list_tasks(cluster_str, container_instance, None, started_by, None,
                                   desiredStatus or "RUNNING")
        # moto compares the cluster's name as a part of the ARN.
        cluster = self._get_cluster(cluster_str or "default")
        found = [task for task in found if task.cluster_name == cluster.name]
        if family:
            found = [task for task in found
                     if f":task-definition/{family}:" in task.task_definition_arn]
        if service_name:
            service = self._get_service(cluster.name, service_name.split("/")[-1])
            found = [task for task in found if task.group == f"service:{service.name}"]
        return found

    def stop_task(self, cluster_str, task_str, reason):
        """SIGTERM: the task stops when its time is up, not when it is asked."""
        cluster = self._get_cluster(cluster_str)
        for arn, task in self.tasks.get(cluster.name, {}).items():
            if arn.split("/")[-1] == task_str.split("/")[-1]:
                why = reason or "Task stopped by user"
                scheduler.stop(task, "UserInitiated", why, time.time())
                return task
        raise InvalidParameterException("The referenced task was not found.")

    def run_task(self, *args, **kwargs):
        """Tasks begin their lives at once, so that the answer does not say RUNNING."""
        tasks = super().run_task(*args, **kwargs)
        for task in tasks:
            scheduler.life(task, time.time())
        return tasks

    def create_service(self, *args, **kwargs):
        """Refuses what could never start a task, as ECS does."""
        definition = kwargs.get("task_definition_str") or (args[3] if len(args) > 3 else None)
        if definition and not kwargs.get("network_configuration"):
            if self.describe_task_definition(definition).network_mode == "awsvpc":
                raise InvalidParameterException("Network Configuration must be provided when "
                                                "networkMode 'awsvpc' is specified.")
        return super().create_service(*args, **kwargs)

    @staticmethod
    def _calculate_task_resource_requirements(task_definition):
        """Nothing is placed on instances here; moto stumbles over a container whose memory is
        only its task's."""
        return {"CPU": 0, "MEMORY": 0, "PORTS": [], "PORTS_UDP": []}

    def delete_service(self, cluster_name, service_name, force):
        """Its tasks are drained by the scheduler."""
        service = super().delete_service(cluster_name, service_name, force)
        service.desired_count = 0
        return service


class Response(responses.EC2ContainerServiceResponse):
    """moto's reading of requests, with ECS's limits and pages."""

    def list_tasks(self):
        """At most 100 a page."""
        arns = super().list_tasks().result["taskArns"]
        return self._page("taskArns", arns, 100)

    def list_services(self):
        """Ten a page unless more is asked for, at most 100."""
        arns = super().list_services().result["serviceArns"]
        return self._page("serviceArns", arns, 10)

    def _page(self, key, found, usual):
        size, token = self._get_param("maxResults") or usual, self._get_param("nextToken")
        if not 1 <= int(size) <= 100:
            raise InvalidParameterException("maxResults must be between 1 and 100")
        begin = int(token) if token else 0
        end = begin + int(size)
        more = {"nextToken": str(end)} if end < len(found) else {}
        return ActionResult({key: found[begin:end], **more})

    def describe_services(self):
        """One to ten services."""
        self._at_most("services", 10)
        return super().describe_services()

    def describe_tasks(self):
        """One to a hundred tasks; those that are not there stand in `failures`."""
        asked = self._at_most("tasks", 100)
        answer = super().describe_tasks()
        found = {task.task_arn.split("/")[-1] for task in answer.result["tasks"]}
        cluster = self.ecs_backend._get_cluster(self._get_param("cluster", "default"))
        prefix = cluster.arn.replace(":cluster/", ":task/")
        answer.result["failures"] = [
            {"arn": it if it.startswith("arn:") else f"{prefix}/{it}", "reason": "MISSING"}
            for it in asked if it.split("/")[-1] not in found
        ]
        return answer

    def _at_most(self, key, limit):
        asked = self._get_param(key, []) or []
        if not asked:
            raise InvalidParameterException(f"{key.capitalize()} cannot be empty.")
        if len(asked) > limit:
            raise InvalidParameterException(f"{key.capitalize()}: at most {limit} are allowed.")
        return asked

    def create_service(self):
        """Keeps the deployment's percentages, which decide whether two tasks overlap."""
        answer = super().create_service()
        self._keep_configuration(answer.result["service"])
        return answer

    def update_service(self):
        """The same when they change."""
        answer = super().update_service()
        self._keep_configuration(answer.result["service"])
        return answer

    def _keep_configuration(self, service):
        usual = getattr(service, "deployment_configuration",
                        {"maximumPercent": 200, "minimumHealthyPercent": 100})
        asked = self._get_param("deploymentConfiguration") or {}
        service.deployment_configuration = {**usual, **asked}


def install():
    """Puts these in moto's place; before the first request."""
    # Looking at a task must not move it.
    state_manager.set_transition("ecs::task", {"progression": "manual", "times": 10**9})
    models.ecs_backends.backend = Backend
    urls.url_paths = {"{0}/$": Response.dispatch}
