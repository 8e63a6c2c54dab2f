"""Does Microsoft's own Graph client read out of the world what is in it?"""

from __future__ import annotations

import asyncio
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientSecretCredential
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph import GraphServiceClient
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.unified_role_assignment import UnifiedRoleAssignment
from msgraph.generated.oauth2_permission_grants.oauth2_permission_grants_request_builder import (
    Oauth2PermissionGrantsRequestBuilder,
)
from msgraph.generated.role_management.directory.role_assignment_schedule_instances import (
    role_assignment_schedule_instances_request_builder as schedule_instances,
)
from msgraph.generated.role_management.directory.role_assignments.role_assignments_request_builder import (
    RoleAssignmentsRequestBuilder,
)
from msgraph.generated.users.item.user_item_request_builder import UserItemRequestBuilder
from msgraph_core.tasks.page_iterator import PageIterator

from conftest import (
    ACCOUNT,
    ACCOUNT_ID,
    APP,
    DYNAMICS_ADMINISTRATOR,
    GLOBAL_ADMINISTRATOR,
    POWER_PLATFORM_ADMINISTRATOR,
    SECRET,
    TENANT,
    World,
)

INSTANCES = schedule_instances.RoleAssignmentScheduleInstancesRequestBuilder
ASSIGNMENTS = "/roleManagement/directory/roleAssignments"

VENDOR = "aaaaaaaa-1111-4222-8333-000000000001"

Asked = Callable[[GraphServiceClient], Awaitable[object]]


def graph(asked: Asked, secret: str = SECRET) -> object:
    """Runs what is asked with a new client."""

    async def run() -> object:
        with ClientSecretCredential(TENANT, APP, secret) as credential:
            return await asked(GraphServiceClient(credential))

    return asyncio.run(run())


def query(of: type, **parameters: object) -> RequestConfiguration:
    """The typed query parameters of a request builder."""
    return RequestConfiguration(query_parameters=of(**parameters))


def exists(path: str) -> bool:
    """Whether the world has this call at all, whoever asks."""
    token = ClientSecretCredential(TENANT, APP, SECRET).get_token("https://graph.microsoft.com/.default").token
    request = urllib.request.Request(f"https://graph.microsoft.com{path}", headers={"Authorization": f"Bearer {token}"})
    try:
        # Its own opener: the usual one keeps the proxy of the first test.
        urllib.request.build_opener().open(request, timeout=10).close()
    except urllib.error.HTTPError as error:
        return error.code != 404
    return True


def test_a_user_is_read_with_the_fields_that_were_selected(world: World) -> None:
    wanted = query(
        UserItemRequestBuilder.UserItemRequestBuilderGetQueryParameters,
        select=["id", "userPrincipalName", "accountEnabled", "assignedLicenses", "assignedPlans", "lastPasswordChangeDateTime"],
    )
    user = graph(lambda client: client.users.by_user_id(ACCOUNT).get(wanted))
    assert (user.id, user.user_principal_name, user.account_enabled) == (ACCOUNT_ID, ACCOUNT, True)
    assert user.last_password_change_date_time.year == 2026
    assert len(user.assigned_licenses) == 2
    assert {plan.capability_status for plan in user.assigned_plans} == {"Enabled"}
    assert user.display_name is None, "not selected"


def test_licenses_and_subscriptions_are_read(world: World) -> None:
    details = graph(lambda client: client.users.by_user_id(ACCOUNT_ID).license_details.get())
    parts = [detail.sku_part_number for detail in details.value]
    assert parts == ["DYN365_ENTERPRISE_SALES", "POWERAUTOMATE_ATTENDED_RPA"]
    assert all(plan.provisioning_status == "Success" for detail in details.value for plan in detail.service_plans)

    skus = graph(lambda client: client.subscribed_skus.get())
    sales = next(sku for sku in skus.value if sku.sku_part_number == "DYN365_ENTERPRISE_SALES")
    assert (sales.prepaid_units.enabled, sales.consumed_units, sales.applies_to) == (5, 2, "User")
    assert str(sales.sku_id) == "1e1a282c-9c54-43a2-9310-98ef728faace"


def test_role_assignments_are_found_by_their_principal(world: World) -> None:
    wanted = query(
        RoleAssignmentsRequestBuilder.RoleAssignmentsRequestBuilderGetQueryParameters,
        filter=f"principalId eq '{ACCOUNT_ID}'",
    )
    held = graph(lambda client: client.role_management.directory.role_assignments.get(wanted))
    assert {row.role_definition_id for row in held.value} == {GLOBAL_ADMINISTRATOR, DYNAMICS_ADMINISTRATOR}
    assert {row.directory_scope_id for row in held.value} == {"/"}


def test_a_role_is_given_and_taken(world: World) -> None:
    async def asked(client: GraphServiceClient) -> UnifiedRoleAssignment:
        all_of_them = client.role_management.directory.role_assignments
        made = await all_of_them.post(
            UnifiedRoleAssignment(
                principal_id=ACCOUNT_ID,
                role_definition_id=POWER_PLATFORM_ADMINISTRATOR,
                directory_scope_id="/",
            )
        )
        one = all_of_them.by_unified_role_assignment_id(made.id)
        assert (await one.get()).role_definition_id == POWER_PLATFORM_ADMINISTRATOR
        await one.delete()
        with pytest.raises(ODataError) as gone:
            await one.get()
        assert (gone.value.response_status_code, gone.value.error.code) == (404, "Request_ResourceNotFound")
        return made

    assert graph(asked).principal_id == ACCOUNT_ID


def test_pages_are_followed_to_the_end(start: Callable[..., World]) -> None:
    world = start(switches="{ graph_page_size: 1 }")
    seen: list[str] = []

    async def asked(client: GraphServiceClient) -> None:
        first = await client.role_management.directory.role_assignments.get()
        pages = PageIterator(first, client.request_adapter)
        await pages.iterate(lambda row: seen.append(row.id) is None)

    graph(asked)
    assert len(set(seen)) == 3
    assert len(world.calls(ASSIGNMENTS)) == 3


def test_who_is_throttled_waits_as_long_as_it_is_told(world: World) -> None:
    world.fault(path=f"*{ASSIGNMENTS}", status=429, headers={"Retry-After": "2"}, times=1)
    begun = time.monotonic()
    held = graph(lambda client: client.role_management.directory.role_assignments.get())
    assert len(held.value) == 3
    assert [call["status"] for call in world.calls(ASSIGNMENTS)] == [429, 200]
    assert time.monotonic() - begun >= 2


def test_a_refusal_is_an_error_with_its_code(world: World) -> None:
    for permission in ("LicenseAssignment.Read.All", "Directory.Read.All"):
        world.do("withdraw-permission", app="Backstay", permission=permission)
    with pytest.raises(ODataError) as refused:
        graph(lambda client: client.subscribed_skus.get())
    assert (refused.value.response_status_code, refused.value.error.code) == (403, "Authorization_RequestDenied")
    assert refused.value.error.inner_error.request_id


def test_a_wrong_secret_does_not_get_as_far_as_graph(world: World) -> None:
    with pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
        graph(lambda client: client.subscribed_skus.get(), secret="guessed")
    assert world.calls("/subscribedSkus") == []


def test_what_is_active_now_is_read_from_pim(world: World) -> None:
    if not exists("/v1.0/roleManagement/directory/roleAssignmentScheduleInstances"):
        pytest.skip("the world has no PIM yet")
    wanted = query(
        INSTANCES.RoleAssignmentScheduleInstancesRequestBuilderGetQueryParameters,
        filter=f"principalId eq '{ACCOUNT_ID}'",
    )
    active = graph(lambda client: client.role_management.directory.role_assignment_schedule_instances.get(wanted))
    # Plain assignments are among them (facts/microsoft.md §1.4).
    assert {row.role_definition_id for row in active.value} == {GLOBAL_ADMINISTRATOR, DYNAMICS_ADMINISTRATOR}
    assert {row.assignment_type for row in active.value} == {"Assigned"}
    assert {row.member_type for row in active.value} == {"Direct"}


def test_consent_is_read_as_grants(start: Callable[..., World]) -> None:
    start()
    if not exists("/v1.0/oauth2PermissionGrants"):
        pytest.skip("the world has no consent grants yet")
    environments = "    environments:\n"
    world = start((environments, f"    vendor_apps:\n      - {{ app_id: {VENDOR}, name: AvePoint }}\n{environments}"))
    world.do("consent", app="AvePoint", scope="User.Read offline_access", user=ACCOUNT)
    world.do("consent", app="AvePoint", scope="user_impersonation", resource="Dynamics CRM")

    async def asked(client: GraphServiceClient) -> list:
        vendor = await client.service_principals_with_app_id(VENDOR).get()
        wanted = query(
            Oauth2PermissionGrantsRequestBuilder.Oauth2PermissionGrantsRequestBuilderGetQueryParameters,
            filter=f"clientId eq '{vendor.id}'",
        )
        return (await client.oauth2_permission_grants.get(wanted)).value

    grants = {grant.consent_type: grant for grant in graph(asked)}
    assert grants["Principal"].principal_id == ACCOUNT_ID
    assert grants["Principal"].scope.split() == ["User.Read", "offline_access"]
    assert grants["AllPrincipals"].principal_id is None
    assert grants["AllPrincipals"].scope == "user_impersonation"
